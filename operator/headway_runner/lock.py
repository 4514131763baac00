"""The migration lock: one run at a time per version table, held by the migration connection's own session.

Rule: it is tried and polled, never waited for on the server, where a waiting session would dead-lock with
CREATE INDEX CONCURRENTLY; and it is on the session that works, so that it goes when the work ends, also for an
orphaned statement. Nothing here starts a SQLAlchemy transaction.
"""

import fcntl
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from headway_contract.result import Failure
from headway_runner.dbapi import adapter_of, query
from headway_runner.failures import RunFailed

SPACE = 7777
"""First key of ``pg_advisory_lock(int, int)``; the second is the version table's."""
POLL_SECONDS = 0.3


class Lock(Protocol):
    """How one kind of database locks."""

    def try_to_take(self) -> bool:
        """Whether it is ours now; returns at once."""

    def release(self) -> None:
        """Give it back; only called while it is ours."""


class PostgresLock:
    """A session-level advisory lock."""

    def __init__(self, connection: Connection, key: int) -> None:
        self._connection = connection
        self._arguments = f"({SPACE}, {key - 2**31})"
        self._adapter = adapter_of(connection)

    def try_to_take(self) -> bool:
        """``pg_try_advisory_lock``."""
        return bool(self._ask("pg_try_advisory_lock"))

    def release(self) -> None:
        """``pg_advisory_unlock``; a transaction of env.py keeps it until its session ends."""
        if not self._connection.closed and not self._connection.in_transaction():
            self._ask("pg_advisory_unlock")

    def _ask(self, function: str) -> Any:
        ((answer,),) = query(self._adapter, f"SELECT {function}{self._arguments}")
        if not self._connection.in_transaction():
            self._adapter.commit()
        return answer


class MySqlLock:
    """A named lock; it is of the whole server, so the name has the schema in it (at most 64 characters)."""

    def __init__(self, connection: Connection, key: int) -> None:
        self._adapter = adapter_of(connection)
        schema = query(self._adapter, "SELECT database()")[0][0]
        self._name = f"headway_{zlib.crc32(str(schema).encode())}_{key}"

    def try_to_take(self) -> bool:
        """``GET_LOCK`` with no waiting."""
        return bool(query(self._adapter, f"SELECT GET_LOCK('{self._name}', 0)")[0][0])

    def release(self) -> None:
        """``RELEASE_LOCK``."""
        query(self._adapter, f"SELECT RELEASE_LOCK('{self._name}')")


class SqliteLock:
    """A lock on a file beside the database file: best effort, SQLite has none of its own for this."""

    def __init__(self, connection: Connection, key: int) -> None:
        path = connection.engine.url.database
        self._file = os.open(f"{path}.headway-lock" if path else os.devnull, os.O_RDWR | os.O_CREAT, 0o600)

    def try_to_take(self) -> bool:
        """``flock`` with no waiting."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Closing the file gives it back."""
        os.close(self._file)


KINDS: dict[str, Callable[[Connection, int], Lock]] = {
    "postgresql": PostgresLock,
    "mysql": MySqlLock,
    "mariadb": MySqlLock,
    "sqlite": SqliteLock,
}


def lock_of(context: MigrationContext) -> Lock | None:
    """The lock of this context's version table, None for databases that we cannot lock."""
    connection = context.connection
    kind = None if connection is None else KINDS.get(connection.dialect.name)
    if connection is None or kind is None:
        return None
    table = f"{context.version_table_schema}.{context.version_table}"
    return kind(connection, zlib.crc32(table.encode()))


@contextmanager
def held(
    lock: Lock | None,
    give_up_seconds: float,
    waiting: Callable[[float], bool],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[bool]:
    """Hold the lock for a block; False when ``waiting`` (told the seconds) said to give it up.

    Raises :class:`RunFailed` with ``LockHeld`` after ``give_up_seconds``.
    """
    if lock is None:
        yield True
        return
    start = clock()
    while not lock.try_to_take():
        seconds = clock() - start
        if not waiting(seconds):
            yield False
            return
        if seconds >= give_up_seconds:
            raise RunFailed(Failure("LockHeld", f"Another session held it for {int(seconds)} s."))
        sleep(POLL_SECONDS)
    try:
        yield True
    except BaseException:
        # The session is ending and the lock with it; asking a broken one would hide what broke it.
        raise
    else:
        lock.release()
