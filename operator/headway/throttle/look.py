"""One look at all signals in a side session: short read-only transactions; what fails does not hide the others."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ClauseElement

from headway.statements import sqlstate
from headway.throttle.signals.query import Query, query_signal
from headway.throttle.signals.signal import Ask, Signal, Unreadable

STATEMENT_MS = 1000
"""A slow answer is no answer, and the next signal waits for it."""
_SETTINGS = {
    # For the transaction only: behind a pooler the session is soon somebody else's.
    "postgresql": (
        "SELECT set_config('transaction_read_only', 'on', true), "
        f"set_config('statement_timeout', '{STATEMENT_MS}', true)",
    ),
    "mysql": ("SET TRANSACTION READ ONLY", f"SET max_execution_time = {STATEMENT_MS}"),
    "mariadb": ("SET TRANSACTION READ ONLY", f"SET max_statement_time = {STATEMENT_MS / 1000}"),
}
WRONG_CLASS = "42"
"""PostgreSQL's syntax errors, missing tables, columns and functions, and missing rights."""
WRONG_NUMBERS = frozenset({1054, 1064, 1142, 1143, 1146, 1305})
"""MySQL's and MariaDB's of the same."""
Found = Callable[[str, object], object]
"""Gets a signal's name and its reading or :class:`Unreadable`."""
_CLASS = re.compile(r"^<class '[^']*'>: ")


class WrongQuery(Exception):
    """A signal's query that the database will never answer; the text says why."""


def look(connection: Connection, signals: Sequence[Signal[Any]], search_path: str, found: Found) -> None:
    """Hand over what each signal gives as soon as it is there; raises what the driver raises for a lost session."""
    connection = connection.execution_options(isolation_level="READ COMMITTED")
    rest = tuple(signals)
    while rest:
        rest = _read_until_one_fails(connection, rest, search_path, found)


def _read_until_one_fails(
    connection: Connection, signals: Sequence[Signal[Any]], search_path: str, found: Found
) -> tuple[Signal[Any], ...]:
    """In one transaction, which does not outlive a failed statement; what is left to read."""
    with connection.begin() as transaction:
        for setting in _SETTINGS[_kind(connection)]:
            connection.exec_driver_sql(setting)
        if search_path:
            asking(connection)("SELECT set_config('search_path', :path, true)", path=search_path)
        for number, signal in enumerate(signals, start=1):
            outcome = _outcome(signal, connection)
            found(signal.name, outcome)
            if isinstance(outcome, _Failed):
                transaction.rollback()
                return tuple(signals[number:])
    return ()


@dataclass(frozen=True)
class _Failed(Unreadable):
    """By an error of the server's."""

    is_wrong: bool = False
    """The question itself is: asked again, it fails again."""


def _outcome(signal: Signal[Any], connection: Connection) -> object:
    try:
        return signal.read(asking(connection))
    except SQLAlchemyError as error:
        # A session that is lost fails the beginning of the next transaction, too, or is made anew there.
        below = getattr(error, "orig", None)
        number = below.args[0] if below is not None and below.args else None
        is_wrong = sqlstate(error).startswith(WRONG_CLASS) or (
            isinstance(number, int) and number in WRONG_NUMBERS
        )
        return _Failed(said(error), is_wrong=is_wrong)


def ask_first(connection: Connection, queries: Sequence[Query], search_path: str) -> None:
    """Ask each query once; raises :class:`WrongQuery` for one that will never be answered."""
    outcomes: dict[str, object] = {}
    look(connection, tuple(map(query_signal, queries)), search_path, outcomes.__setitem__)
    for name, outcome in outcomes.items():
        if isinstance(outcome, _Failed) and outcome.is_wrong:
            raise WrongQuery(
                f"The query of the signal {name!r} cannot be asked: {outcome.why}. Correct it, and run the revision "
                "again. Nothing was changed."
            )


def asking(connection: Connection) -> Ask:
    """``:name`` in a text is a value's."""

    def ask(statement: "str | ClauseElement", **values: object) -> Sequence[Any]:
        clause: Any = text(statement) if isinstance(statement, str) else statement
        return connection.execute(clause, values).fetchall()

    return ask


def said(error: BaseException) -> str:
    """What went wrong, in the server's or the system's words without the statement; of others only the kind."""
    cause = getattr(error, "orig", None) or error
    lines = _words(cause).splitlines() if isinstance(error, (SQLAlchemyError, OSError)) else []
    return lines[0].rstrip(".") if lines else type(cause).__name__


def _words(cause: BaseException) -> str:
    first = cause.args[0] if cause.args else ""
    if isinstance(first, dict):
        # pg8000 gives the fields of the server's message: M is its text.
        return str(first.get("M", ""))
    # SQLAlchemy's own errors add an address to read more at, asyncpg's begin with their class.
    return _CLASS.sub("", str(first if isinstance(cause, SQLAlchemyError) else cause)).strip()


def _kind(connection: Connection) -> str:
    dialect = connection.dialect
    return "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
