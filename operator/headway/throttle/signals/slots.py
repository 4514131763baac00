"""Replication slots that keep WAL on the primary: a reader that is slow or gone fills the disk with what we write."""

from dataclasses import dataclass

from headway.throttle.level import Level, measured, size
from headway.throttle.limits import Limits
from headway.throttle.signals.signal import Ask, Signal

NAME = "replication slots"
_SLOTS = """
SELECT s.slot_name, s.active, s.wal_status,
  CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) AS bigint),
  (SELECT CAST(setting AS bigint) * 1024 * 1024 FROM pg_settings WHERE name = 'max_slot_wal_keep_size')
FROM pg_replication_slots s WHERE s.restart_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
"""


@dataclass(frozen=True)
class Slot:
    """One that still keeps WAL."""

    name: str
    is_read: bool
    """Somebody is connected to it."""
    is_ending: bool
    """The server removes its WAL at the next checkpoint: ``wal_status`` is ``unreserved``."""
    kept_bytes: int
    keep_limit: int | None
    """``max_slot_wal_keep_size`` in bytes, None where it is unlimited."""


def _read(ask: Ask) -> tuple[Slot, ...]:
    return tuple(
        Slot(str(name), bool(active), status == "unreserved", max(0, int(kept)), _limit(setting))
        for name, active, status, kept, setting in ask(_SLOTS)
    )


def _limit(setting: int | None) -> int | None:
    return int(setting) if setting is not None and setting > 0 else None


def _judge(slots: tuple[Slot, ...], limits: Limits) -> Level:
    levels = (_level(one, limits) for one in slots)
    return max(levels, key=lambda level: level.utilization, default=Level(NAME))


def _level(one: Slot, limits: Limits) -> Level:
    name = f"replication slot {one.name}{'' if one.is_read else ', which nobody reads,'}"
    if one.is_ending:
        return Level(NAME, 1.0, f"{name} is about to lose WAL that it needs")
    limit = limits.slot_bytes if one.keep_limit is None else one.keep_limit * limits.slot_share
    return measured(NAME, f"{name} keeps", one.kept_bytes, "of WAL", limit, size)


SLOTS = Signal(NAME, _read, _judge)
"""Everybody may read it; ``max_slot_wal_keep_size`` and ``wal_status`` are of PostgreSQL 13."""
