"""The passes, each for a process of its own: through Alembic itself, or through the application's own command."""

from headway_runner import application, attach, inspection
from headway_runner.child import Link
from headway_runner.task import Application, Inspection, Task


def inspect(link: Link, task: Task) -> Inspection:
    """Look, and change nothing."""
    look = attach.inspect if task.request.command else inspection.inspect
    return look(link, task)


def apply(link: Link, task: Task) -> Application:
    """Apply revisions under the lock."""
    run = attach.apply if task.request.command else application.apply
    return run(link, task)
