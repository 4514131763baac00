"""The passes, each for a process of its own: through Alembic itself, or through the application's own command.

Rule: a pass loads what it needs, unless its parent has that loaded for all of them (``preload.py``), and then tells
that the run has started; the first that tells it is heard.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from headway_contract.events import RunStarted
from headway_contract.request import RunRequest
from headway_runner.processes.child import Link
from headway_runner.processes.task import Application, Inspection, Task
from headway_runner.project import stack
from headway_runner.words.run_failed import RunFailed


def inspect(link: Link, task: Task) -> Inspection:
    """Look, and change nothing."""
    try:
        with loading(link, task.request):
            if task.request.command:
                from headway_runner.attach.command import inspect as look
            else:
                from headway_runner.looks.inspection import inspect as look
        return look(link, with_url(task))
    except RunFailed as failed:
        return Inspection(failure=failed.failure)


def inspect_without(link: Link, task: Task) -> Inspection:
    """Look at the history alone."""
    try:
        with loading(link, task.request):
            from headway_runner.facts.no_database import inspect_without as look
        return look(link, task)
    except RunFailed as failed:
        return Inspection(failure=failed.failure)


def look_again(link: Link, task: Task) -> Inspection:
    """Look at the version tables alone."""
    with loading(link, task.request):
        from headway_runner.looks.own_look import look_again as look
    return look(link, with_url(task))


def apply(link: Link, task: Task) -> Application:
    """Apply revisions under the lock. A wish to stop that comes before anything has begun ends the process."""
    link.nothing_has_begun()
    try:
        with loading(link, task.request):
            if task.request.command:
                from headway_runner.attach.command import apply as run
            else:
                from headway_runner.run.application import apply as run
        if not task.looks_itself:
            link.something_begins()
        return run(link, with_url(task))
    except RunFailed as failed:
        return Application(failure=failed.failure)


@contextmanager
def loading(link: Link, request: RunRequest) -> Iterator[None]:
    """SQLAlchemy and Alembic, and what the body imports; raises :class:`RunFailed` where there are no such."""
    if stack.is_loaded():
        yield
        return
    try:
        versions = stack.load()
        yield
    except ImportError as error:
        raise RunFailed(stack.not_importable(error)) from None
    stack.keep()
    link.emit(RunStarted(request.run, request.mode.value, *versions))


def with_url(task: Task) -> Task:
    """The task with the URL that its pass takes, the driver loaded; raises :class:`RunFailed`."""
    from headway_runner.connections.database import url_for

    return replace(task, url=url_for(task.database, task.asynchronous))
