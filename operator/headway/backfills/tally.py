"""What a backfill has done and cost until now: sums that are kept with the checkpoint. Pure."""

import math
from dataclasses import dataclass, field, replace

_STEPS_PER_DOUBLING = 4
_FIRST_MS = 0.5


def step_of(milliseconds: float) -> int:
    """The bucket of a histogram whose steps grow by a quarter of a doubling (19 %)."""
    return max(0, math.ceil(_STEPS_PER_DOUBLING * math.log2(max(milliseconds, _FIRST_MS) / _FIRST_MS)))


def milliseconds_of(step: int) -> float:
    """The upper bound of a bucket."""
    return float(_FIRST_MS * 2 ** (step / _STEPS_PER_DOUBLING))


@dataclass(frozen=True)
class Tally:
    """Of all runs together."""

    rows: int = 0
    """Updated."""
    batches: int = 0
    seconds: float = 0.0
    """At work and held, without the time between runs."""
    throttled_seconds: float = 0.0
    blocked_ms: float = 0.0
    wal_bytes: int = 0
    updates: int = 0
    """As the server counted them; 0 where it does not."""
    hot_updates: int = 0
    durations: tuple[tuple[int, int], ...] = field(default=())
    """How many batches fell into which bucket."""
    heap_bytes: int = -1
    """Before the first batch; -1: not known."""
    index_bytes: int = -1
    percent: float = 0.0
    """The most that was ever told."""

    @property
    def hot_ratio(self) -> float | None:
        """Of 0 to 1; None when nothing was counted."""
        return self.hot_updates / self.updates if self.updates else None

    def with_batch(self, milliseconds: float) -> "Tally":
        """One more batch of this length."""
        counts = dict(self.durations)
        counts[step_of(milliseconds)] = counts.get(step_of(milliseconds), 0) + 1
        return replace(self, durations=tuple(sorted(counts.items())))

    def plus(self, work: "Tally") -> "Tally":
        """With the work of another lane; times are those of the run, which are kept here."""
        counts = dict(self.durations)
        for step, count in work.durations:
            counts[step] = counts.get(step, 0) + count
        return replace(
            self,
            rows=self.rows + work.rows,
            batches=self.batches + work.batches,
            wal_bytes=self.wal_bytes + work.wal_bytes,
            updates=self.updates + work.updates,
            hot_updates=self.hot_updates + work.hot_updates,
            durations=tuple(sorted(counts.items())),
        )

    def quantile_ms(self, share: float) -> float:
        """The upper bound of the bucket where that share of all batches is reached; 0.0 without batches."""
        wanted, seen = share * sum(count for _, count in self.durations), 0
        for step, count in self.durations:
            seen += count
            if seen >= wanted:
                return milliseconds_of(step)
        return 0.0
