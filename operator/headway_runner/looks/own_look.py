"""After a run through a command that then has nothing left to upgrade: Headway looks at the version tables itself.

Rule: it is the database that says what is there, over a connection by the URL that was asked for. Without such a URL
there is none: what the application connects with stays in the application.
"""

from dataclasses import replace

from sqlalchemy.engine import Connection

from headway_contract.result import Failure
from headway_runner.connections.probe import ask
from headway_runner.processes.child import Link
from headway_runner.processes.task import Application, Inspection, Task, VersionTable
from headway_runner.project.config import prepare_process
from headway_runner.project.version_tables import read_again
from headway_runner.statements.invalid_indexes import invalid_indexes
from headway_runner.words.failures import failure_of, print_error


def is_needed(run: Application, after: Inspection) -> bool:
    """The run came to the end of all that it began, and the command did not let all of it be looked at again."""
    has_failed = run.failure is not None or run.seen is not None or bool(run.unfinished)
    if not run.tables or has_failed or run.contexts != run.completed:
        return False
    return after.unseen or (after.failure is None and not after.pending and after.contexts < run.completed)


def look_again(link: Link, task: Task) -> Inspection:
    """A phase for a process of its own: the version tables, as the database has them now."""
    try:
        prepare_process(task)
        assert task.url is not None
        return ask(task.url, lambda connection: _look(connection, task.tables))
    except Exception as error:  # noqa: BLE001 - a pass always ends in a report
        print_error(error)
        return Inspection(failure=failure_of(error))


def _look(connection: Connection, tables: tuple[VersionTable, ...]) -> Inspection:
    left = tuple(one.shown for one in invalid_indexes(connection) if one.builder is None)
    return Inspection(asked=read_again(connection, tables), invalid_indexes=left)


def as_the_run_left_it(run: Application, after: Inspection, found: Inspection) -> Inspection:
    """The look, completed by what the tables say; with a failure where one is not as the run left it. Pure."""
    if found.failure is not None:
        return found
    now = {(one.schema, one.name): one for one in found.asked}
    for left in run.tables:
        seen = now.get((left.schema, left.name))
        if seen is None:
            # Nobody has looked at it.
            return after
        if seen.heads != left.heads:
            return replace(after, failure=_moved(left, seen))
    current = tuple(dict.fromkeys(head for one in run.tables for head in one.heads))
    indexes = tuple(dict.fromkeys((*after.invalid_indexes, *found.invalid_indexes)))
    return replace(
        after,
        failure=None,
        unseen=False,
        current=current,
        post_deploy=run.post_deploy,
        contexts=run.completed,
        invalid_indexes=indexes,
    )


def _moved(left: VersionTable, seen: VersionTable) -> Failure:
    def at(table: VersionTable) -> str:
        return f"at {', '.join(table.heads)}" if table.heads else "empty or not there"

    return Failure(
        "NotPersisted", f"The version table {left.shown} is {at(seen)}; the run had left it {at(left)}."
    )
