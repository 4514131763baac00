"""How many rows the next batch takes: by the time that batches took, within what the server shall bear at
once.
"""

from dataclasses import dataclass, replace

FIRST_ROWS = 500
FEWEST_ROWS = 50
"""Successful batches get smaller only where so many rows themselves take longer than the target, or write too much:
what a batch takes without any row (a slow commit, a server that is far away) gets no shorter with fewer of them.
"""
MOST_ROWS = 50_000
MOST_BYTES = 16 * 2**20
"""Of rows in one batch, by their average width."""
USUAL_ROW_BYTES = 100.0
"""Where no catalog tells."""
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
    row_bytes: float = USUAL_ROW_BYTES
    toast_bytes: float = 0.0
    """Of a row beside its blocks, which an update may write anew; they count until it is known what it does write."""
    rows: int = MOST_ROWS
    """The caller's own bound."""
    table_rows: int = 0
    """0: not known."""
    most_share: float = 1.0
    """Of the table's rows, but never fewer than the first batch takes."""

    def most_rows(self, is_wal_known: bool = True) -> int:
        """Of one batch."""
        share = max(FIRST_ROWS, int(self.table_rows * self.most_share)) if self.table_rows else MOST_ROWS
        row_bytes = max(self.row_bytes + (0.0 if is_wal_known else self.toast_bytes), 1.0)
        return max(1, min(self.rows, share, MOST_ROWS, int(MOST_BYTES / row_bytes)))


@dataclass(frozen=True)
class Size:
    """Of the next batch."""

    rows: int = FIRST_ROWS
    rate: float = 0.0
    """Rows per second, commit included; 0: not known yet."""
    row_seconds: float = 0.0
    """Of one row, without what a batch takes with no row in it; 0: too little to matter, or not known."""
    row_wal: float = 0.0
    """Bytes that a row of the last batch has written to the WAL; 0: not known."""

    def after(self, rows: int, seconds: float, rows_seconds: float, wal_bytes: int, limits: Limits) -> "Size":
        """A batch of so many rows was committed and took so long; ``rows_seconds``: of these, the rows themselves."""
        known = self._learned(rows / max(seconds, 1e-6), rows_seconds / max(rows, 1))
        known = replace(known, row_wal=wal_bytes / max(rows, self.rows) or self.row_wal)
        fewest = known._fewest(limits)
        if seconds > FAR_TOO_LONG * limits.target_seconds and self.rows > fewest:
            return known._smaller(max(self.rows / 4, fewest), limits)
        aimed = min(max(known.rate * limits.target_seconds, self.rows * SHRINK), self.rows * GROWTH)
        aimed = max(aimed, fewest)
        if wal_bytes:
            aimed = min(aimed, MOST_WAL_BYTES / known.row_wal)
        return known._bounded(aimed, limits)

    def within(self, limits: Limits) -> "Size":
        """No more than they allow, from the first batch on; what a failure has made small stays small."""
        return replace(self, rows=min(self.rows, self._most(limits)))

    def slowed(self, limits: Limits) -> "Size":
        """The wished pace is a slower one: at once no more than fit in its time, as far as the rate is known."""
        if not self.rate:
            return self
        return self._smaller(max(self.rate * limits.target_seconds, self._fewest(limits)), limits)

    def busy(self, utilization: float, limits: Limits) -> "Size":
        """Smaller while the database is close to a limit."""
        if utilization < BUSY_UTILIZATION:
            return self
        return self._smaller(max(self.rows * BUSY_SHRINK, self._fewest(limits) * SHRINK), limits)

    def divided(self, by: int) -> "Size":
        """After a failure; what was known of the rate counts no longer."""
        return Size(max(1, self.rows // by))

    def _learned(self, rate: float, row_seconds: float) -> "Size":
        if self.rate == 0.0:
            return replace(self, rate=rate, row_seconds=row_seconds)
        old, new = 1 - NEWEST_WEIGHT, NEWEST_WEIGHT
        return replace(
            self, rate=old * self.rate + new * rate, row_seconds=old * self.row_seconds + new * row_seconds
        )

    def _fewest(self, limits: Limits) -> float:
        """That a batch is to have, however long it takes: those that themselves take no longer than the target."""
        return min(FEWEST_ROWS, limits.target_seconds / max(self.row_seconds, 1e-6))

    def _smaller(self, rows: float, limits: Limits) -> "Size":
        return self._bounded(min(self.rows, rows), limits)

    def _bounded(self, rows: float, limits: Limits) -> "Size":
        return replace(self, rows=max(1, min(int(rows), self._most(limits))))

    def _most(self, limits: Limits) -> int:
        return limits.most_rows(is_wal_known=self.row_wal > 0.0)
