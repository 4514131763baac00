"""After a run through a command that then has nothing left to upgrade: Headway looks at the version tables itself.

Rule: it is the database that says what is there, over a connection by the URL that was asked for. Without such a URL
there is none: what the application connects with stays in the application.
"""

from sqlalchemy.engine import Connection

from headway_runner.connections.probe import ask
from headway_runner.processes.child import Link
from headway_runner.processes.task import Inspection, Task, VersionTable
from headway_runner.project.config import prepare_process
from headway_runner.project.version_tables import read_again
from headway_runner.statements.invalid_indexes import invalid_indexes
from headway_runner.words.failures import failure_of, print_error


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
