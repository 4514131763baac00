"""How far standbys are behind, in bytes and in seconds, as PostgreSQL's primary sees them.

Rule: bytes first, because a standby whose replay stands still shows in them at once. Of a standby that is at our
last byte the server's time is that of an earlier moment, so it counts as none. Logical subscribers count by what
their slot keeps: some confirm only now and then although they have read everything.
"""

from dataclasses import dataclass

from headway.throttle.level import Level, measured, seconds, size
from headway.throttle.limits import Limits
from headway.throttle.signals.signal import Ask, Signal, Unreadable
from headway.wishes import Wishes

NAME = "replica lag"
_STANDBYS = """
SELECT coalesce(host(r.client_addr), nullif(r.application_name, ''), 'on a local socket'), r.state,
  CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn) AS bigint),
  CAST(extract(epoch FROM r.replay_lag) AS double precision)
FROM pg_stat_replication r
WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
"""


@dataclass(frozen=True)
class Standby:
    """One that replays what the primary writes."""

    name: str
    bytes_behind: int
    seconds_behind: float


def _read(ask: Ask) -> "tuple[Standby, ...] | Unreadable":
    rows = ask(_STANDBYS)
    if any(state is None for _, state, _, _ in rows):
        return Unreadable("this role may not see the replicas: GRANT pg_monitor to it")
    # Without a replayed position it is a base backup or an archiver of WAL.
    return tuple(
        Standby(name, max(0, behind), float(lag or 0.0) if behind > 0 else 0.0)
        for name, _, behind, lag in rows
        if behind is not None
    )


def _judge(standbys: tuple[Standby, ...], limits: Limits) -> Level:
    levels = [level for one in standbys for level in _levels(one, limits)]
    return max(levels, key=lambda level: level.utilization, default=Level(NAME))


def _levels(one: Standby, limits: Limits) -> tuple[Level, Level]:
    name = f"replica {one.name} is"
    return (
        measured(NAME, name, one.bytes_behind, "behind", limits.lag_bytes, size),
        measured(NAME, name, one.seconds_behind, "behind", limits.lag_seconds, seconds),
    )


def _is_named(wishes: Wishes) -> bool:
    return wishes.is_named_lag


REPLICA_LAG = Signal(NAME, _read, _judge, _is_named)
"""Needs the role ``pg_monitor`` (or ``pg_read_all_stats``) to see anything but that there are replicas."""
