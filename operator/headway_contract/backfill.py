"""Backfills on the wire: how they are wished to go, and the record of one that is complete."""

from typing import Any

from headway_contract.records import dataclass


@dataclass(frozen=True)
class BackfillSettings:
    """How much of a database backfills may take, as the resource has it; None and empty: the library's default."""

    pace: str = ""
    """``Gentle``, ``Balanced`` or ``Fast``."""
    max_workers: int | None = None
    max_replica_lag_seconds: int | None = None
    windows: tuple[Any, ...] = ()
    """When they may work, each an object of ``days``, ``from``, ``to``, ``timeZone``; empty: always."""


LEFT_OUT = BackfillSettings()
"""Nobody has said anything."""


@dataclass(frozen=True)
class BackfillRecord:
    """What a complete backfill took, all its runs together; None: not known."""

    operation: str
    table: str
    rows: int = 0
    seconds: float = 0.0
    wal_bytes: int | None = None
    heap_growth_bytes: int | None = None
    index_growth_bytes: int | None = None
    hot_ratio: float | None = None
    """Of 0 to 1: how many updates left the indexes alone."""
    batches: int = 0
    batch_p50_ms: float = 0.0
    batch_p99_ms: float = 0.0
    blocked_ms: float = 0.0
    """Milliseconds that other sessions waited for it, all together."""
    throttled_seconds: float = 0.0
