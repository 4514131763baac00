"""One row at a time, each in a savepoint: so a row that cannot be updated takes no other one with it."""

from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills.failures import Cause, failure_of
from headway.backfills.queries import run


def attempt(connection: Connection, statement: str, values: "dict[str, Any]") -> "tuple[int, str | None]":
    """How many rows were updated, and the code of the error that prevented it, None without one.

    Raises what says that the connection is lost, or that the statement itself is wrong.
    """
    run(connection, "SAVEPOINT headway_row")
    try:
        updated = run(connection, statement, **values).rowcount
    except DBAPIError as error:
        failure = failure_of(error)
        if failure.cause in (Cause.LOST, Cause.FATAL):
            raise
        # A deadlock ends MySQL's whole transaction, and with it the savepoint: then this raises, and all is
        # tried again.
        run(connection, "ROLLBACK TO SAVEPOINT headway_row")
        return 0, failure.code or failure.cause.value
    run(connection, "RELEASE SAVEPOINT headway_row")
    return updated, None
