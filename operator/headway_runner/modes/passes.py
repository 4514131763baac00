"""The passes, each for a process of its own: through Alembic itself, or through the application's own command.

The modules of attach mode are loaded by its passes alone.
"""

from headway_runner.looks import inspection
from headway_runner.processes.child import Link
from headway_runner.processes.task import Application, Inspection, Task
from headway_runner.run import application


def inspect(link: Link, task: Task) -> Inspection:
    """Look, and change nothing."""
    if not task.request.command:
        return inspection.inspect(link, task)
    from headway_runner.attach import command

    return command.inspect(link, task)


def apply(link: Link, task: Task) -> Application:
    """Apply revisions under the lock."""
    if not task.request.command:
        return application.apply(link, task)
    from headway_runner.attach import command

    return command.apply(link, task)
