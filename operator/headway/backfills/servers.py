"""What differs between servers in a batch's transaction: its settings, and what is measured in it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills.checkpoint import Checkpoint
from headway.backfills.orders import Leaf, Meter
from headway.backfills.queries import one, run
from headway.backfills.state import State
from headway.statements import sqlstate

LEAST_STATEMENT_MS = 5000
"""A disk that stalls for a second is no reason to give up a batch."""
STATEMENT_TARGETS = 20
"""``statement_timeout`` in times of the target, where that is more."""
LEAST_LOCK_MS = 50
"""``lock_timeout`` for each row that somebody else has locked: the target's time, at least this."""
IDLE_MS = 60_000
_WAL = "CAST(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bigint)"
_UNTOLD = frozenset({"0A000", "42501", "42883", "55000"})
"""Not there, not allowed, or not as the server is set: Aurora below ``wal_level = logical`` says the last."""


@dataclass(frozen=True)
class Reading:
    """Counters in a transaction, and the file that the table is in."""

    wal: int = 0
    updates: int = 0
    hot_updates: int = 0
    filenode: int = 0
    transaction: int = 0
    """Its id; 0 where the server tells none, and before it has one."""

    def since(self, before: "Reading") -> Meter:
        """What came in between."""
        return Meter(
            max(0, self.wal - before.wal),
            max(0, self.updates - before.updates),
            max(0, self.hot_updates - before.hot_updates),
        )


class Server(Protocol):
    """One kind of them."""

    def prepare(self, connection: Connection) -> None:
        """Once for each new connection."""

    def transaction(self, connection: Connection) -> "AbstractContextManager[object]":
        """Committed at the end, rolled back by an exception."""

    def begin(self, connection: Connection, leaf: Leaf, target_ms: float) -> Reading:
        """The transaction's settings; what the counters stand at."""

    def save(
        self, connection: Connection, leaf: Leaf, checkpoint: Checkpoint, fence: int, state: State
    ) -> Reading:
        """Write the state down; what the counters stand at. Raises TakenOver."""

    def without_limit(self, connection: Connection) -> None:
        """For this transaction, which only reads: as long as it takes."""


@dataclass(frozen=True)
class Postgres:
    """Everything is set for the transaction alone, so a pooler does no harm."""

    settings: "tuple[tuple[str, str], ...]" = ()
    """Of the migration connection: what names depend on."""
    counts_wal: bool = True
    """Else a batch is bounded by its time, its rows and their width alone, and the record has no WAL."""

    def prepare(self, connection: Connection) -> None:
        """READ COMMITTED, whatever the engine's level is."""
        connection.execution_options(isolation_level="READ COMMITTED")

    def transaction(self, connection: Connection) -> "AbstractContextManager[object]":
        """SQLAlchemy's own."""
        return connection.begin()

    def asked(self, connection: Connection) -> "Postgres":
        """As this server is: some keep their WAL to themselves. Raises what the driver raises."""
        try:
            with self.transaction(connection):
                run(connection, f"SELECT {_WAL}").close()
        except DBAPIError as error:
            if sqlstate(error) not in _UNTOLD:
                raise
            return replace(self, counts_wal=False)
        return self

    def begin(self, connection: Connection, leaf: Leaf, target_ms: float) -> Reading:
        """One statement."""
        settings = (
            *self.settings,
            ("lock_timeout", str(int(max(LEAST_LOCK_MS, target_ms)))),
            ("statement_timeout", str(int(max(LEAST_STATEMENT_MS, STATEMENT_TARGETS * target_ms)))),
            ("idle_in_transaction_session_timeout", str(IDLE_MS)),
        )
        calls = ", ".join(
            f"set_config('{name}', :v{number}, true)" for number, (name, _) in enumerate(settings)
        )
        values = {f"v{number}": value for number, (_, value) in enumerate(settings)}
        row = one(connection, f"SELECT {', '.join(self._measures(leaf))}, {calls}", **values)
        return _reading((row or ())[: len(self._measures(leaf))])

    def save(
        self, connection: Connection, leaf: Leaf, checkpoint: Checkpoint, fence: int, state: State
    ) -> Reading:
        """One statement. The batch holds a lock on the table by now, so the file that is read stays its
        file.
        """
        measures = (*self._measures(leaf), "txid_current()")
        return _reading(checkpoint.save(connection, fence, state, measures))

    def without_limit(self, connection: Connection) -> None:
        """Of time."""
        run(connection, "SET LOCAL statement_timeout = 0")

    def _measures(self, leaf: Leaf) -> "tuple[str, ...]":
        return (
            _WAL if self.counts_wal else "0",
            f"pg_stat_get_xact_tuples_updated({leaf.oid})",
            f"pg_stat_get_xact_tuples_hot_updated({leaf.oid})",
            f"CAST(pg_relation_filenode({leaf.oid}) AS bigint)",
        )


@dataclass(frozen=True)
class Sqlite:
    """The migration connection in autocommit mode: transactions are begun by statements of ours."""

    def prepare(self, connection: Connection) -> None:
        """Nothing."""

    @contextmanager
    def transaction(self, connection: Connection) -> Iterator[object]:
        """IMMEDIATE: a lock that is only upgraded later may fail halfway."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")

    def begin(self, connection: Connection, leaf: Leaf, target_ms: float) -> Reading:
        """Nothing is counted."""
        return Reading()

    def save(
        self, connection: Connection, leaf: Leaf, checkpoint: Checkpoint, fence: int, state: State
    ) -> Reading:
        """Only that."""
        checkpoint.save(connection, fence, state)
        return Reading()

    def without_limit(self, connection: Connection) -> None:
        """There is none."""


@dataclass(frozen=True)
class Mysql:
    """READ COMMITTED, so that a batch locks the rows that it updates and no gaps between them."""

    def prepare(self, connection: Connection) -> None:
        """The least that InnoDB waits for a row is a second."""
        connection.execution_options(isolation_level="READ COMMITTED")
        with connection.begin():
            run(connection, "SET SESSION innodb_lock_wait_timeout = 1")

    def transaction(self, connection: Connection) -> "AbstractContextManager[object]":
        """SQLAlchemy's own."""
        return connection.begin()

    def begin(self, connection: Connection, leaf: Leaf, target_ms: float) -> Reading:
        """Nothing is counted."""
        return Reading()

    def save(
        self, connection: Connection, leaf: Leaf, checkpoint: Checkpoint, fence: int, state: State
    ) -> Reading:
        """Only that."""
        checkpoint.save(connection, fence, state)
        return Reading()

    def without_limit(self, connection: Connection) -> None:
        """There is none."""


def _reading(row: "tuple[Any, ...]") -> Reading:
    return Reading(*(int(value or 0) for value in row))
