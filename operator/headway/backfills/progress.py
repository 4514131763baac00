"""How fast a backfill is, how far, and how long it will take. Pure; times are seconds of one clock."""

from dataclasses import dataclass, replace

WINDOW_SECONDS = 60.0
"""The rate is that of the last minute, pauses included."""
SAMPLE_SECONDS = 1.0
HIDDEN_SECONDS = 30.0
HIDDEN_FRACTION = 0.01
"""Before so long, or so much, an estimate of the end would mean nothing."""
MOST_PERCENT = 99.9
"""Before the end."""


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
        if is_early or new.at <= old.at or new.fraction <= old.fraction:
            return None
        return (1.0 - new.fraction) * (new.at - old.at) / (new.fraction - old.fraction)


def percent(fraction: float, told: float) -> float:
    """Never less than what was told before, and not 100 before the end."""
    return max(told, min(MOST_PERCENT, round(100.0 * fraction, 2)))
