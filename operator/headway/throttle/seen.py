"""What is known of each signal, how old it is, and what follows from not knowing: pure.

Rule: unknown is not healthy. A signal that somebody named holds until it has been read, and again when it could not
be read for 15 s. One that was only found must not keep anybody waiting for ever: it is left out and told once.
"""

from dataclasses import dataclass, replace
from typing import Any

from headway.throttle.level import Level
from headway.throttle.limits import Limits
from headway.throttle.signals.signal import Signal, Unreadable
from headway.wishes import Wishes

STALE_SECONDS = 15.0


@dataclass(frozen=True)
class Seen:
    """Of one signal."""

    reading: object = None
    read_at: float = float("-inf")
    """Of the clock of the watch."""
    trouble: Unreadable | None = None
    """Why the last look at it found nothing."""

    def after(self, outcome: object, now: float) -> "Seen":
        """With the outcome of another look: a reading, or that there was none."""
        if isinstance(outcome, Unreadable):
            return replace(self, trouble=outcome)
        return Seen(outcome, now)

    def is_fresh(self, now: float) -> bool:
        """What was read still counts."""
        return now - self.read_at <= STALE_SECONDS


def level_of(signal: Signal[Any], seen: Seen, now: float, wishes: Wishes, limits: Limits) -> Level:
    """What a signal comes to, known or not."""
    if seen.is_fresh(now):
        return signal.judge(seen.reading, limits)
    if not signal.is_named(wishes):
        return Level(signal.name)
    why = seen.trouble.why if seen.trouble else "the database has not answered"
    return Level(signal.name, 1.0, f"{signal.name} cannot be read: {why}", is_load=False)


def worth_telling(signal: Signal[Any], seen: Seen, now: float, wishes: Wishes) -> str:
    """What a person should know of a signal that is left out, as a sentence without a full stop; mostly nothing."""
    trouble = seen.trouble
    if trouble is None or trouble.is_usual or seen.is_fresh(now) or signal.is_named(wishes):
        return ""
    return f"{signal.name} cannot be read, the backfill goes on without: {trouble.why}"
