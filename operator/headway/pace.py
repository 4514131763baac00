"""How much of the database a backfill takes: by the length of its batches, because row locks last as long.

Measured: the time of a batch governs how long others wait, sleeping between batches does not help them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """A preset that can be changed while a backfill runs."""

    name: str
    target_ms: float
    """Milliseconds that a batch should take, its commit included."""


GENTLE = Pace("Gentle", 25.0)
BALANCED = Pace("Balanced", 100.0)
FAST = Pace("Fast", 500.0)
PACES = {pace.name: pace for pace in (GENTLE, BALANCED, FAST)}
