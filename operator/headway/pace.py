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
    most_share: float = 1 / 200
    """Of a table's rows in one batch: as likely it is that a statement of others meets a locked row. In a small table
    that bounds a batch sooner than the time does; measured with 500,000 rows at 300 transactions a second: their p99
    is 8 ms with it and 23 ms without, at 0.85 of the speed. It does not count while one session works and PostgreSQL
    tells that nobody else writes.
    """


GENTLE = Pace("Gentle", 25.0)
BALANCED = Pace("Balanced", 100.0)
FAST = Pace("Fast", 500.0, most_share=1.0)
PACES = {pace.name: pace for pace in (GENTLE, BALANCED, FAST)}
