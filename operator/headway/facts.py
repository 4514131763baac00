"""What operations report: one frozen dataclass of plain values for each kind.

Numbers are rows, bytes, seconds or percent as the field's name says; None: not known (yet).
"""

from dataclasses import asdict, dataclass

from headway.link import Link


@dataclass(frozen=True)
class BackfillStarted:
    """A backfill begins, or goes on where an earlier run stopped."""

    operation: str
    """Its name in the checkpoint table, the same in every run."""
    table: str
    columns: str
    """Comma-separated."""
    strategy: str
    """``striped`` or ``keyset``."""
    reason: str
    """Why this strategy, as a sentence."""
    rows_done: int = 0
    """By earlier runs."""
    rows_total: int | None = None
    """An estimate of the catalog's; never counted."""


@dataclass(frozen=True)
class BackfillProgressed:
    """How far a backfill is; ``percent`` never runs backwards within an operation."""

    operation: str
    table: str
    rows_done: int
    rows_total: int | None
    percent: float
    rows_per_second: float
    eta_seconds: float | None
    """Includes pauses at their rate of late; None while it would mean nothing."""
    workers: int = 1
    throttled_by: str = ""
    """Why it holds at present, as a short sentence without a full stop; empty while it works."""
    throttled_seconds: float = 0.0
    """How long the present hold lasts."""


@dataclass(frozen=True)
class BackfillFinished:
    """The record of a backfill that is complete (all its runs together where it was resumed)."""

    operation: str
    table: str
    rows: int
    seconds: float
    wal_bytes: int | None
    heap_growth_bytes: int | None
    index_growth_bytes: int | None
    hot_ratio: float | None
    """Of 0 to 1: how many updates left the indexes alone."""
    batches: int
    batch_p50_ms: float
    batch_p99_ms: float
    blocked_ms: float
    """Milliseconds that other sessions waited for the backfill, all together, as far as seen."""
    throttled_seconds: float = 0.0


@dataclass(frozen=True)
class IndexBuilding:
    """How far ``CREATE INDEX CONCURRENTLY`` is, from ``pg_stat_progress_create_index``."""

    index: str
    table: str
    phase: str
    percent: float
    """Of the present phase."""
    waits_for: str = ""
    """Whom it waits for, without a full stop; empty while it works."""


@dataclass(frozen=True)
class Noticed:
    """Something that a person should know and that is no failure."""

    message: str


Fact = BackfillStarted | BackfillProgressed | BackfillFinished | IndexBuilding | Noticed


def tell(link: Link, fact: Fact) -> None:
    """Hand a fact over; its kind is the name of its class."""
    link.report(type(fact).__name__, asdict(fact))
