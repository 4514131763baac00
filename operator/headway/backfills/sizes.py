"""How many rows the next batch takes: by the time that batches took, within what the server shall bear at
once.
"""

from dataclasses import dataclass, replace

FIRST_ROWS = 500
FEWEST_ROWS = 50
"""Successful batches never get smaller; failures may take them down to one row."""
MOST_ROWS = 50_000
MOST_BYTES = 16 * 2**20
"""Of rows in one batch, by their average width."""
MOST_WAL_BYTES = 32 * 2**20
"""Written in one batch; what a standby must replay before it sees anything of it."""
NEWEST_WEIGHT = 0.3
"""Of the last batch in the rate; the rest is what was known before (an exponentially weighted mean)."""
GROWTH = 1.5
SHRINK = 0.5
FAR_TOO_LONG = 5.0
"""Times the target: then the batches are quartered at once."""
BUSY_UTILIZATION = 0.7
BUSY_SHRINK = 0.8


@dataclass(frozen=True)
class Limits:
    """What bounds a batch from above."""

    target_seconds: float
    row_bytes: float = 100.0
    rows: int = MOST_ROWS
    """The caller's own bound."""
    table_rows: int = 0
    """0: not known."""
    most_share: float = 1.0
    """Of the table's rows, but never fewer than the first batch takes."""

    @property
    def most_rows(self) -> int:
        """Of one batch."""
        share = max(FIRST_ROWS, int(self.table_rows * self.most_share)) if self.table_rows else MOST_ROWS
        return max(1, min(self.rows, share, MOST_ROWS, int(MOST_BYTES / max(self.row_bytes, 1.0))))


@dataclass(frozen=True)
class Size:
    """Of the next batch."""

    rows: int = FIRST_ROWS
    rate: float = 0.0
    """Rows per second, commit included; 0: not known yet."""

    def after(self, rows: int, seconds: float, wal_bytes: int, limits: Limits) -> "Size":
        """A batch of so many rows was committed and took so long."""
        newest = rows / max(seconds, 1e-6)
        rate = newest if self.rate == 0.0 else (1 - NEWEST_WEIGHT) * self.rate + NEWEST_WEIGHT * newest
        if seconds > FAR_TOO_LONG * limits.target_seconds:
            return replace(self._bounded(self.rows / 4, limits), rate=rate)
        aimed = min(max(rate * limits.target_seconds, self.rows * SHRINK), self.rows * GROWTH)
        if wal_bytes > MOST_WAL_BYTES:
            aimed = min(aimed, self.rows * MOST_WAL_BYTES / wal_bytes)
        return replace(self._bounded(aimed, limits), rate=rate)

    def within(self, limits: Limits) -> "Size":
        """No more than they allow, from the first batch on; what a failure has made small stays small."""
        return replace(self, rows=min(self.rows, limits.most_rows))

    def slowed(self, limits: Limits) -> "Size":
        """The wished pace is a slower one: at once no more than fit in its time, as far as the rate is known."""
        if not self.rate:
            return self
        return replace(
            self, rows=min(self.rows, self._bounded(self.rate * limits.target_seconds, limits).rows)
        )

    def busy(self, utilization: float, limits: Limits) -> "Size":
        """Smaller while the database is close to a limit."""
        return self._bounded(self.rows * BUSY_SHRINK, limits) if utilization >= BUSY_UTILIZATION else self

    def divided(self, by: int) -> "Size":
        """After a failure; what was known of the rate counts no longer."""
        return Size(max(1, self.rows // by))

    def _bounded(self, rows: float, limits: Limits) -> "Size":
        return replace(self, rows=max(min(FEWEST_ROWS, limits.most_rows), min(int(rows), limits.most_rows)))
