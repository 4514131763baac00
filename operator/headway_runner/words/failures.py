"""From an exception to a failure class with a sentence.

Rule: each class is recognised by one named function; the first that says yes decides.
"""

import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from alembic.script.revision import (
    CycleDetected,
    LoopDetected,
    MultipleHeads,
    RangeNotAncestorError,
    ResolutionError,
    RevisionError,
)
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from headway_contract.records import dataclass
from headway_contract.result import Failure
from headway_runner.words import states
from headway_runner.words.run_failed import RunFailed
from headway_runner.words.standard_streams import write_error
from headway_runner.words.titles import named
from headway_runner.words.wording import describe, origin, print_frames, sqlstate

LOCK_STATES = frozenset({"55P03", "40P01", "40001"})
"""PostgreSQL's lock_not_available, deadlock_detected, serialization_failure."""
LOCK_CODES = {"mysql": frozenset({1205, 1213, 3572}), "sqlite": frozenset({5, 6})}
"""MySQL's and MariaDB's lock wait timeout, deadlock and NOWAIT; SQLite's BUSY and LOCKED."""


@dataclass(frozen=True)
class Situation:
    """What is known of an exception besides itself."""

    error: BaseException
    revision: str = ""
    """The revision that was being applied, '' when none was."""
    loading: bool = False
    """It was raised while the revision files were read and ordered."""
    title: str = ""
    """Of the revision, as its file says."""

    @property
    def state(self) -> str:
        """Its SQLSTATE, '' when it has none."""
        return sqlstate(self.error)

    @property
    def text(self) -> str:
        """Its message, for matching only."""
        return str(origin(self.error)).lower()


def is_not_there_yet(error: BaseException) -> bool:
    """A table, column, function or schema is missing that revisions may make."""
    states = ("42P01", "42703", "42704", "42883", "3F000", "42S02", "42S22")
    texts = ("no such table", "no such column", "doesn't exist", "unknown column")
    is_known = sqlstate(error) in states or any(text in str(origin(error)).lower() for text in texts)
    return isinstance(error, DBAPIError) and is_known


def the_driver_is_missing(this: Situation) -> bool:
    """SQLAlchemy found no dialect or no module for the URL."""
    if isinstance(this.error, NoSuchModuleError) or "'greenlet' library is installed" in this.text:
        return True
    drivers = ("psycopg", "psycopg2", "asyncpg", "pg8000", "pymysql", "mysqldb", "aiosqlite", "greenlet")
    name = getattr(this.error, "name", "") if isinstance(this.error, ModuleNotFoundError) else ""
    return not this.revision and (name or "").lower() in drivers


def the_url_is_wrong(this: Situation) -> bool:
    """The driver does not know an option of the URL."""
    return not this.revision and ("invalid connection option" in this.text or "invalid dsn" in this.text)


def a_pooler_swaps_the_sessions(this: Situation) -> bool:
    """A statement that the driver has prepared is another client's, or is gone: duplicate_prepared_statement or
    invalid_sql_statement_name about a name that asyncpg or psycopg has made. On a session of one's own it cannot be.
    """
    of_driver = '"__asyncpg_' in this.text or '"_pg3_' in this.text
    return not this.revision and this.state in ("42P05", "26000") and of_driver


def the_credentials_are_refused(this: Situation) -> bool:
    """Class 28, or libpq's text of it: libpq gives no SQLSTATE for a refused connection."""
    phrases = (
        "password authentication failed",
        "no pg_hba.conf entry",
        "no password supplied",
        "access denied for user",
    )
    unknown_role = 'role "' in this.text and "does not exist" in this.text and not this.revision
    return this.state.startswith("28") or any(phrase in this.text for phrase in phrases) or unknown_role


def the_database_does_not_exist(this: Situation) -> bool:
    """3D000, or libpq's, MySQL's or SQLite's text of it."""
    named = 'database "' in this.text and "does not exist" in this.text and not this.revision
    no_file = "unable to open database file" in this.text and not this.revision
    return this.state == "3D000" or named or no_file or "unknown database" in this.text


def the_lock_could_not_be_had(this: Situation) -> bool:
    """A lock time-out, a deadlock, or a serialization failure."""
    below = origin(this.error)
    # What is not loaded has raised nothing, and not every Python has it.
    sqlite: Any = sys.modules.get("sqlite3")
    if sqlite is not None and isinstance(below, sqlite.OperationalError):
        # The code's lower byte; Python tells it since 3.11.
        code = getattr(below, "sqlite_errorcode", None)
        return (code & 0xFF) in LOCK_CODES["sqlite"] if code else "is locked" in this.text
    code = below.args[0] if isinstance(this.error, DBAPIError) and below.args else None
    return this.state in LOCK_STATES or (isinstance(code, int) and code in LOCK_CODES["mysql"])


def the_permission_is_missing(this: Situation) -> bool:
    """insufficient_privilege."""
    return this.state == "42501"


def the_connection_was_lost(this: Situation) -> bool:
    """Connection exceptions and shutdowns during a revision; not those of other services that it talks to."""
    if not this.revision:
        return False
    if not isinstance(this.error, DBAPIError):
        return isinstance(this.error, OSError) and _comes_from_pg8000(this.error)
    return bool(this.error.connection_invalidated) or _is_connection_trouble(this)


def _comes_from_pg8000(error: BaseException) -> bool:
    """It lets errors of its socket through as they are."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").startswith("pg8000.") for frame in frames)


def the_database_is_unreachable(this: Situation) -> bool:
    """No connection could be made, or the server is starting, stopping, full or a standby."""
    return not this.revision and (_is_connection_trouble(this) or this.state in ("53300", states.READ_ONLY))


def _is_connection_trouble(this: Situation) -> bool:
    """By SQLSTATE; else by type: libpq's connection failures are operational errors without one."""
    if this.state:
        return this.state.startswith("08") or this.state in ("57P01", "57P02", "57P03")
    below = origin(this.error)
    if isinstance(below, (ConnectionError, TimeoutError, socket.gaierror)):
        return True
    of_driver = type(below).__name__ in ("OperationalError", "ConnectionTimeout", "InterfaceError")
    return (of_driver or isinstance(below, OSError)) and _says_connection(this.text)


def _says_connection(text: str) -> bool:
    phrases = (
        "connect", "timeout expired", "timed out", "could not translate host name", "name or service not known",
        "failed to resolve", "no such host", "server closed", "lost connection", "gone away", "resolve host",
    )  # fmt: skip
    return any(phrase in text for phrase in phrases)


def the_history_has_several_heads(this: Situation) -> bool:
    """'head' is ambiguous."""
    return isinstance(this.error.__cause__ or this.error, MultipleHeads)


def the_target_cannot_be_reached(this: Situation) -> bool:
    """Alembic found no way, or could not walk a relative target."""
    cause = this.error.__cause__ or this.error
    walks = ("relative revision", "ambiguous walk", "walked too far")
    return isinstance(cause, RangeNotAncestorError) or (
        isinstance(cause, (RevisionError, CommandError))
        and any(walk in str(this.error).lower() for walk in walks)
    )


def the_target_is_unknown(this: Situation) -> bool:
    """No revision of the image has this name."""
    return isinstance(this.error.__cause__ or this.error, ResolutionError)


def the_history_is_broken(this: Situation) -> bool:
    """A cycle, a missing parent, an unreadable or doubled file."""
    cause = this.error.__cause__ or this.error
    return this.loading or isinstance(cause, (CycleDetected, LoopDetected, RevisionError))


def there_is_no_project(this: Situation) -> bool:
    """Alembic found no configuration file, no section in it, or no script folder."""
    return isinstance(this.error, CommandError) and not this.revision


def a_revision_failed(this: Situation) -> bool:
    """It was raised while a revision was applied."""
    return bool(this.revision)


def anything_else_failed_in_env_py(this: Situation) -> bool:
    """What remains was raised by env.py or what it imports."""
    return True


RULES: tuple[tuple[Callable[[Situation], bool], str], ...] = (
    (the_driver_is_missing, "DriverMissing"),
    (the_url_is_wrong, "InvalidUrl"),
    (a_pooler_swaps_the_sessions, "PoolerDetected"),
    (the_lock_could_not_be_had, "LockTimeout"),
    (the_credentials_are_refused, "AuthenticationFailed"),
    (the_database_does_not_exist, "DatabaseDoesNotExist"),
    (the_permission_is_missing, "PermissionDenied"),
    (the_connection_was_lost, "ConnectionLost"),
    (the_database_is_unreachable, "DatabaseUnreachable"),
    (a_revision_failed, "RevisionFailed"),
    (the_history_has_several_heads, "MultipleHeads"),
    (the_target_cannot_be_reached, "InvalidTarget"),
    (the_target_is_unknown, "UnknownTarget"),
    (the_history_is_broken, "InvalidHistory"),
    (there_is_no_project, "ProjectNotFound"),
    (anything_else_failed_in_env_py, "ProjectFailed"),
)
"""In order: the first that holds names the class."""


def failure_of(error: BaseException, revision: str = "", loading: bool = False, title: str = "") -> Failure:
    """The failure that this exception means."""
    if isinstance(error, RunFailed):
        return error.failure
    this = Situation(error, revision, loading, title)
    name = next(name for holds, name in RULES if holds(this))
    return Failure(name, _sentence(name, this), revision, this.state)


def _sentence(name: str, this: Situation) -> str:
    if name == "MultipleHeads":
        heads = getattr(this.error.__cause__ or this.error, "heads", ())
        return f"The heads are {', '.join(sorted(heads))}."
    if this.revision:
        return f"Revision {named(this.revision, this.title)} failed: {describe(this.error)}"
    return describe(this.error)


def print_error(error: BaseException) -> None:
    """Where it was raised, and the masked message: the usual traceback would print statement parameters."""
    if isinstance(error, RunFailed) and error.__cause__ is not None:
        error = error.__cause__
    if not isinstance(error, RunFailed):
        print_frames(error.__traceback__)
        write_error(f"headway: {describe(error)}\n")
