"""The migration lock: one run at a time per version table, held by the migration connection's own session.

Rule: it is tried and polled, never waited for on the server, where a waiting session would dead-lock with
CREATE INDEX CONCURRENTLY; and it is on the session that works, so that it goes when the work ends, also for an
orphaned statement. Nothing here starts a SQLAlchemy transaction.
"""

import fcntl
import hashlib
import os
import socket
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Protocol

from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from headway_contract.result import Failure
from headway_runner.connections.dbapi import adapter_of, query, sqlite_file
from headway_runner.locks.kept import when_committed
from headway_runner.locks.lock_holder import OF_HEADWAY, told_holder
from headway_runner.locks.mysql_lock import MySqlLock
from headway_runner.statements.blockers import SESSION_COLUMNS, Blocker, postgres_blocker
from headway_runner.statements.invalid_indexes import literal
from headway_runner.words.run_failed import RunFailed

SPACE = 7777
"""First key of ``pg_advisory_lock(int, int)``; the second is the version table's."""
POLL_SECONDS = 0.3


_HOLDER = f"""
SELECT coalesce(l.pid, 0), {SESSION_COLUMNS}, NULL FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = {{space}} AND l.objid = {{key}}
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_WORKER = f"""
SELECT a.pid, {SESSION_COLUMNS}, NULL FROM pg_stat_activity a
WHERE a.application_name = {{name}} AND a.pid <> {{pid}} AND a.backend_type = 'client backend'
AND a.datname = current_database() AND a.query !~ 'pg_(stat_|locks|blocking_pids)'
ORDER BY a.state = 'idle', a.state_change DESC LIMIT 1
"""
"""Not one that only looks around; of several that are at work, the one that has begun something last."""


class Lock(Protocol):
    """How one kind of database locks."""

    def try_to_take(self) -> bool:
        """Whether it is ours now; returns at once."""

    def release(self, failed: bool = False) -> None:
        """Give it back, once env.py's transaction has ended; only called while it is ours.

        ``failed``: so has what was done under it.
        """

    def holder(self) -> str:
        """Who has it now, as far as the server tells; "" when nobody has or nothing is told."""


class PostgresLock:
    """A session-level advisory lock."""

    def __init__(self, connection: Connection, key: int) -> None:
        self._connection = connection
        self._key = key - 2**31
        self._adapter = adapter_of(connection)

    def try_to_take(self) -> bool:
        """``pg_try_advisory_lock``."""
        return bool(self._ask("pg_try_advisory_lock"))

    def release(self, failed: bool = False) -> None:
        """``pg_advisory_unlock``, which a rollback does not undo; nothing of a failure is committed with it."""
        adapter, statement = self._adapter, self._call("pg_advisory_unlock")
        is_done = not (failed or self._connection.in_transaction())

        def give_back() -> None:
            if not is_done:
                adapter.rollback()
            query(adapter, statement)
            (adapter.commit if is_done else adapter.rollback)()

        if not self._connection.closed:
            when_committed(self._connection, give_back)

    def holder(self) -> str:
        """From ``pg_locks``, where both keys stand as numbers without a sign."""
        rows = self._rows(_HOLDER.format(space=SPACE, key=self._key % 2**32))
        if not rows:
            return ""
        holder = postgres_blocker(rows[0])
        return told_holder(holder, self._worker_beside(holder))

    def _worker_beside(self, holder: Blocker) -> Blocker | None:
        """The session of the same run that works, where ours have the name of their run."""
        if not holder.application.startswith(OF_HEADWAY):
            return None
        rows = self._rows(_WORKER.format(name=literal(holder.application), pid=holder.pid))
        return postgres_blocker(rows[0]) if rows else None

    def _ask(self, function: str) -> Any:
        return self._rows(self._call(function))[0][0]

    def _call(self, function: str) -> str:
        return f"SELECT {function}({SPACE}, {self._key})"

    def _rows(self, statement: str) -> list[Any]:
        rows = query(self._adapter, statement)
        if not self._connection.in_transaction():
            self._adapter.commit()
        return rows


class SqliteLock:
    """A lock on a file beside the database file: best effort, SQLite has none of its own for this.

    What counts is the kernel's lock, not the file: one that a killed run left behind is simply taken again. Where the
    folder may not be written the file is in the folder for temporary files, named after the database's path.
    """

    kept: ClassVar[dict[str, int]] = {}
    """Those of this process that wait for the end of a transaction, which another context may go on in."""

    def __init__(self, path: str, connection: Connection | None = None) -> None:
        self._path = lock_path(path)
        self._connection = connection
        self._file = -1

    def try_to_take(self) -> bool:
        """``flock`` with no waiting; the kernel would keep this process itself from a second one."""
        if self._path in self.kept:
            self._file = self.kept.pop(self._path)
            return True
        file = _open(self._path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        if not _is_at(file, self._path):
            # Its last holder removed it between the opening and the lock.
            os.close(file)
            return False
        self._file = file
        with suppress(OSError):
            os.truncate(file, 0)
            os.pwrite(file, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        return True

    def release(self, failed: bool = False) -> None:
        """The file is removed while it is locked: nobody can have a lock on one that others do not see."""
        path, kept = self._path, self.kept
        kept[path] = self._file

        def give_back() -> None:
            # Another context of this process may have taken it over, and given it back.
            if path in kept:
                with suppress(OSError):
                    os.unlink(path)
                os.close(kept.pop(path))

        if self._connection is None:
            give_back()
        else:
            when_committed(self._connection, give_back)

    def holder(self) -> str:
        """What the holder wrote into the file."""
        try:
            with open(self._path, encoding="utf-8") as file:
                return file.read(200)
        except OSError:
            return ""


def lock_path(database: str) -> str:
    """Where the lock file of a database file is."""
    beside = f"{database}.headway-lock"
    if os.path.exists(beside) or os.access(os.path.dirname(database), os.W_OK):
        return beside
    name = hashlib.sha256(database.encode()).hexdigest()[:32]
    return os.path.join(tempfile.gettempdir(), f"headway-{name}.lock")


def _open(path: str) -> int:
    """For writing where that is allowed; a lock can be had on a file of another user, too."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY)


def _is_at(file: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def _sqlite_lock(connection: Connection, key: int) -> Lock | None:
    """None for a database in memory, which no other process can reach."""
    path = sqlite_file(adapter_of(connection))
    return SqliteLock(path, connection) if path else None


KINDS: dict[str, Callable[[Connection, int], Lock | None]] = {
    "postgresql": PostgresLock,
    "mysql": MySqlLock,
    "mariadb": MySqlLock,
    "sqlite": _sqlite_lock,
}


def sees_only_the_past(connection: Connection) -> bool:
    """It is in a transaction that sees the database as it was at the beginning."""
    if connection.dialect.name != "postgresql" or not connection.in_transaction():
        return False
    isolation = query(adapter_of(connection), "SHOW transaction_isolation")[0][0]
    return isolation in ("repeatable read", "serializable")


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
            holder = lock.holder()
            held_by = f"It is held by {holder}." if holder else "Who holds it could not be seen."
            raise RunFailed(Failure("LockHeld", f"Another run held it for {int(seconds)} s. {held_by}"))
        sleep(POLL_SECONDS)
    try:
        yield True
    except Exception:
        # env.py may go on, in another session. What a broken one says to this would hide what broke it, and it ends.
        # With anything else that is raised the process ends, and the lock with it.
        with suppress(Exception):
            lock.release(failed=True)
        raise
    else:
        lock.release()
