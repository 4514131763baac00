"""Where each signal's limit stands unless somebody wished otherwise."""

from dataclasses import dataclass, replace

from headway.pace import Pace
from headway.wishes import Wishes

MIB = 1024**2
GIB = 1024**3


@dataclass(frozen=True)
class Limits:
    """Bytes, seconds, milliseconds and shares as the names say."""

    lag_seconds: float = 5.0
    lag_bytes: float = 256.0 * MIB
    slot_share: float = 0.5
    """Of ``max_slot_wal_keep_size``, which a slot is cut off at."""
    slot_bytes: float = 4.0 * GIB
    """Where that setting is unlimited."""
    archive_segments: int = 42
    dead_share: float = 0.2
    """Of the table's rows."""
    dead_bytes: float = 1.0 * GIB
    """Dead rows that take less than this hold nobody: waiting for VACUUM would cost more than the room."""
    commit_ms: float = 100.0
    active_sessions: int = 16
    """Other sessions that work at the same time; where a server is used to more, twice what it is used to."""
    blocked_ms: float = 0.0
    """How long others may wait for one of our batches: as long as one takes at the pace that counts."""
    pace: "Pace | None" = None
    """The caller's own."""

    def wished(self, wishes: Wishes) -> "Limits":
        """With what is wished now. Who allows more lag in seconds allows more bytes in proportion, never fewer."""
        lag = wishes.max_replica_lag_seconds if wishes.is_named_lag else self.lag_seconds
        return replace(
            self,
            lag_seconds=lag,
            lag_bytes=self.lag_bytes * max(1.0, lag / self.lag_seconds),
            blocked_ms=wishes.counting(self.pace).target_ms,
        )
