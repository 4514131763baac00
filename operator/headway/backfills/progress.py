"""How fast a backfill is, how far, and how long it will take. Pure; times are seconds of one clock."""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

WINDOW_SECONDS = 60.0
"""The rate is that of the last minute, pauses included."""
SAMPLE_SECONDS = 1.0
HIDDEN_SECONDS = 30.0
HIDDEN_FRACTION = 0.01
"""Before so long, or so much, an estimate of the end would mean nothing."""
MOST_PERCENT = 99.9
"""Before the end."""
LEAP = 4.0
"""Times the usual pace: what a sweep leaps over, such as blocks without rows, tells nothing of what is to come."""
FEW_SAMPLES = 3
MUCH = 0.1
"""Of the whole, in that many samples."""


@dataclass(frozen=True)
class Sample:
    """What was done at a moment."""

    at: float
    rows: int
    fraction: float


@dataclass(frozen=True)
class Progress:
    """Of one run."""

    first: Sample
    samples: tuple[Sample, ...]

    @classmethod
    def begun(cls, at: float, rows: int, fraction: float) -> "Progress":
        """With what earlier runs had done."""
        first = Sample(at, rows, fraction)
        return cls(first, (first,))

    def seen(self, at: float, rows: int, fraction: float) -> "Progress":
        """Go on: one sample a second is kept, of the last minute and the one before it."""
        kept = [one for one in self.samples if one.at >= at - WINDOW_SECONDS]
        older = self.samples[: len(self.samples) - len(kept)][-1:]
        newest = Sample(at, rows, fraction)
        if len(kept) > 1 and kept[-1].at - kept[-2].at < SAMPLE_SECONDS:
            kept = kept[:-1]
        return replace(self, samples=(*older, *kept, newest))

    @property
    def rows_per_second(self) -> float:
        """Of the last minute; 0.0 at first."""
        old, new = self.samples[0], self.samples[-1]
        return max(0.0, (new.rows - old.rows) / (new.at - old.at)) if new.at > old.at else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """At the speed of the last minute; None while that means nothing, or nothing moves."""
        old, new = self.samples[0], self.samples[-1]
        is_early = (
            new.at - self.first.at < HIDDEN_SECONDS and new.fraction - self.first.fraction < HIDDEN_FRACTION
        )
        # With so few steps nobody knows which of them was a leap.
        may_be_a_leap = len(self.samples) <= FEW_SAMPLES and new.fraction - old.fraction > MUCH
        done = self._done_steadily()
        if is_early or may_be_a_leap or new.at <= old.at or done <= 0.0:
            return None
        return (1.0 - new.fraction) * (new.at - old.at) / done

    def _done_steadily(self) -> float:
        """What was done between the samples, each leap counted as a few steps at the usual pace."""
        steps = [
            (later.at - sooner.at, later.fraction - sooner.fraction)
            for sooner, later in pairwise(self.samples)
            if later.at > sooner.at
        ]
        paces = sorted(done / seconds for seconds, done in steps if done > 0.0)
        most = LEAP * paces[(len(paces) - 1) // 2] if len(paces) > 1 else inf
        return sum(min(done, most * seconds) for seconds, done in steps if done > 0.0)


def share_done(place: float, rows: int, rows_total: int) -> float:
    """Of 0 to 1: how far the sweep has come, or by the rows if more of those are done.

    Where blocks are fuller at the beginning than at the end, most of the work is done before half of the way. The
    total is an estimate, so rows count for no more than half of the way that is left.
    """
    by_rows = rows / rows_total if rows_total > 0 else 0.0
    return min(max(place, by_rows), (1.0 + place) / 2)


def percent(fraction: float, told: float) -> float:
    """Never less than what was told before, and not 100 before the end."""
    return max(told, min(MOST_PERCENT, round(100.0 * fraction, 2)))
