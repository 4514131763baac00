"""Which signals a database has, in the order in which they are named while they hold."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from headway.throttle.own import OwnWork
from headway.throttle.signals import busy
from headway.throttle.signals.archive import ARCHIVE
from headway.throttle.signals.blocked import Blocking
from headway.throttle.signals.dead_rows import dead_rows
from headway.throttle.signals.replica_lag import REPLICA_LAG
from headway.throttle.signals.signal import Signal, Unreadable
from headway.throttle.signals.slots import SLOTS

Signals = tuple[Signal[Any], ...]
WITH_SIDE_SESSION = ("postgresql", "mysql", "mariadb")
"""SQLAlchemy's names of dialects. With SQLite a second session would wait for the lock of the first."""
_HIDDEN_LAG = Unreadable(
    "this server does not show it on the primary: leave maxReplicaLagSeconds out and give a query that reads it",
    is_usual=True,
)


def signals_of(
    dialect: str, relation: str, blocking: Blocking, own: OwnWork, clock: Callable[[], float] = monotonic
) -> Signals:
    """What is looked for wherever it is found; ``relation`` is the table's quoted name with its schema."""
    if dialect == "postgresql":
        return _on_postgres(relation, blocking, own, clock)
    return _on_mysql(blocking, own, clock) if dialect in WITH_SIDE_SESSION else ()


def names_of(dialect: str) -> tuple[str, ...]:
    """Of all of them."""
    return tuple(signal.name for signal in signals_of(dialect, "", Blocking(tuple), OwnWork()))


def _on_postgres(relation: str, blocking: Blocking, own: OwnWork, clock: Callable[[], float]) -> Signals:
    active = busy.on_postgres(lambda: own.sessions, clock)
    return (REPLICA_LAG, SLOTS, ARCHIVE, blocking.signal(), dead_rows(relation), active)


def _on_mysql(blocking: Blocking, own: OwnWork, clock: Callable[[], float]) -> Signals:
    hidden = Signal(REPLICA_LAG.name, lambda _: _HIDDEN_LAG, REPLICA_LAG.judge, REPLICA_LAG.is_named)
    return (hidden, blocking.signal_mysql(), busy.on_mysql(lambda: own.sessions, clock))
