"""The passes, each for a process of its own: through Alembic itself, or through the application's own command.

The modules of attach mode are loaded by its passes alone.
"""

from headway_runner import application, inspection
from headway_runner.child import Link
from headway_runner.task import Application, Inspection, Task


def inspect(link: Link, task: Task) -> Inspection:
    """Look, and change nothing."""
    if not task.request.command:
        return inspection.inspect(link, task)
    from headway_runner import attach

    return attach.inspect(link, task)


def apply(link: Link, task: Task) -> Application:
    """Apply revisions under the lock."""
    if not task.request.command:
        return application.apply(link, task)
    from headway_runner import attach

    return attach.apply(link, task)
