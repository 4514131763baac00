"""What the signals come to: whether to hold and why, and how close to a limit the database is."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Verdict:
    """Of one look at all signals."""

    hold: str = ""
    """Why no further batch may start, as a short sentence without a full stop; empty: go on."""
    utilization: float = 0.0
    """The largest of value / limit over all signals; 1.0 is at a limit."""
    blocked_ms: float = 0.0
    """Milliseconds, all together, that other sessions have been seen waiting for the backfill until now."""


CLEAR = Verdict()


class Throttle(Protocol):
    """Asked before every batch; answers from what was read last, at once."""

    def verdict(self) -> Verdict:
        """The newest verdict; never raises: what cannot be read is part of the verdict."""

    def close(self) -> None:
        """End the watch and its session."""
