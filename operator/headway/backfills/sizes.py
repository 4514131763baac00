"""How many rows the next batch takes: by the time that batches took, within what the server shall bear at
once.
"""

from dataclasses import dataclass, replace

FIRST_ROWS = 500
FEWEST_ROWS = 50
"""Successful batches get smaller only where their rows themselves take long, as a smaller one must show, or write too
much: what a batch takes with any number of rows (a slow commit, a server that is far away, a subquery that is read
anew for each) gets no shorter with fewer of them.
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
TOO_LONG = 2.0
"""Times the target, of a batch of few rows: then a quarter of them is tried."""
CUT = 4
ANOTHER_SIZE = 3
"""Times as many rows, or more: what the larger of the two batches took tells whether it is the rows."""
HELPED = 0.5
"""Of the time of the larger one, or less: it is."""
IS_LONGER = 2.5
"""Times as long as the smaller one, or longer: the same."""
BELIEVED = 50
"""Batches for which that is believed, and twice as many each time it is told again: then one of another size tells,
for it may have been told by a batch that was slow by chance. A smaller one, unless there are too few rows for that.
"""
MOST_BELIEVED = 1600
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
    told_rows: int = 0
    """Of the last batch of few rows that took too long; 0: none did."""
    told_seconds: float = 0.0
    is_rows: bool | None = None
    """Whether it is the rows that take long, by two such batches; None: it is not known."""
    believed: int = 0
    """Batches since that was told."""
    trusted: int = BELIEVED
    """Batches for which it is believed that it is the rows."""
    row_wal: float = 0.0
    """Bytes that a row of the last batch has written to the WAL; 0: not known."""

    def after(self, rows: int, seconds: float, rows_seconds: float, wal_bytes: int, limits: Limits) -> "Size":
        """A batch of so many rows was committed and took so long; ``rows_seconds``: what updated them, of that."""
        known = replace(
            self,
            rate=self._rated(rows / max(seconds, 1e-6)),
            row_wal=wal_bytes / max(rows, self.rows) or self.row_wal,
        )
        if self.rows <= FEWEST_ROWS:
            known = known._few(max(rows, 1), rows_seconds, limits)
        else:
            known = known._many(seconds, limits)
        return known._smaller(MOST_WAL_BYTES / known.row_wal, limits) if wal_bytes else known

    def _many(self, seconds: float, limits: Limits) -> "Size":
        """After a batch of more than the fewest: by the rate."""
        if seconds > FAR_TOO_LONG * limits.target_seconds:
            return self._asked(max(self.rows / CUT, FEWEST_ROWS), limits)
        aimed = max(self.rate * limits.target_seconds, self.rows * SHRINK, FEWEST_ROWS)
        return self._asked(min(aimed, self.rows * GROWTH), limits)

    def _few(self, rows: int, seconds: float, limits: Limits) -> "Size":
        """After a batch of few rows, by what their statements took; fewer only where the rows are what takes long."""
        target, known = limits.target_seconds, self._compared(rows, seconds)
        if known.is_rows and known.believed > known.trusted:
            return known._doubted(rows, seconds, limits)
        if seconds <= target:
            # A piece of fewer rows than were asked for tells nothing of more.
            aimed = min(max(one * GROWTH, one + 1) for one in (self.rows, rows))
            aimed = min(aimed, rows * target / max(seconds, 1e-6)) if known.is_rows else aimed
            known = known if known.is_rows else replace(known, is_rows=None, believed=0)
            return known._asked(max(aimed, self.rows), limits)
        if known.is_rows is False:
            return known._bounded(min(self._balanced(rows, seconds, target), FEWEST_ROWS), limits)
        if seconds > TOO_LONG * target:
            aimed = CUT if self.rows == 1 and known.is_rows is None else self.rows / CUT
        elif known.is_rows:
            # What it is compared with stays, until a batch has a third of its rows.
            told = (known.told_rows, known.told_seconds) if known.told_rows else (rows, seconds)
            return known._asked(min(rows * target / seconds, self.rows), limits, *told)
        else:
            # More rows will tell, or fewer; but for a while a piece may have no more than it has.
            more = min(self.rows * CUT, FEWEST_ROWS)
            another = more if more >= ANOTHER_SIZE * rows else rows / CUT
            aimed = self.rows if known.told_rows else another
        return known._asked(aimed, limits, rows, seconds)

    def _compared(self, rows: int, seconds: float) -> "Size":
        """With another batch of few rows that took too long, if it was of another size."""
        if self.is_rows is False and self.believed >= BELIEVED:
            return replace(self, is_rows=None, believed=0, told_rows=0)
        if self.told_rows >= ANOTHER_SIZE * rows:
            known = self._told(seconds <= HELPED * self.told_seconds)
            return replace(known, told_rows=rows, told_seconds=seconds)
        if 0 < ANOTHER_SIZE * self.told_rows <= rows:
            return self._told(seconds >= IS_LONGER * self.told_seconds)
        return replace(self, believed=self.believed + 1) if self.is_rows is not None else self

    def _told(self, is_rows: bool) -> "Size":
        """By two batches."""
        is_new = is_rows is not self.is_rows
        trusted = self.trusted if is_rows else BELIEVED
        return replace(self, is_rows=is_rows, believed=0 if is_new else self.believed + 1, trusted=trusted)

    def _doubted(self, rows: int, seconds: float, limits: Limits) -> "Size":
        """Another size will tell again whether it is the rows."""
        aimed = rows / CUT if rows >= ANOTHER_SIZE else rows * CUT
        trusted = min(2 * self.trusted, MOST_BELIEVED)
        return replace(self, is_rows=None, believed=0, trusted=trusted)._asked(aimed, limits, rows, seconds)

    def _balanced(self, rows: int, seconds: float, target: float) -> float:
        """So many that they take no longer than what the batch takes beside them; by a step at most."""
        most = CUT * max(self.rows, self.told_rows)
        each = (seconds - self.told_seconds) / (rows - self.told_rows) if rows != self.told_rows else 0.0
        return min(most, max(target, min(seconds, self.told_seconds)) / each) if each > 0.0 else most

    def within(self, limits: Limits) -> "Size":
        """No more than they allow, from the first batch on; what a failure has made small stays small."""
        return replace(self, rows=min(self.rows, self._most(limits)))

    def slowed(self, limits: Limits) -> "Size":
        """The wished pace is a slower one: at once no more than fit in its time, as far as the rate is known."""
        return (
            self._smaller(max(self.rate * limits.target_seconds, FEWEST_ROWS), limits) if self.rate else self
        )

    def busy(self, utilization: float, limits: Limits) -> "Size":
        """Smaller while the database is close to a limit."""
        if utilization < BUSY_UTILIZATION:
            return self
        return self._smaller(max(self.rows * BUSY_SHRINK, FEWEST_ROWS * SHRINK), limits)

    def divided(self, by: int) -> "Size":
        """After a failure; what was known of the rate counts no longer."""
        return Size(max(1, self.rows // by), row_wal=self.row_wal)

    def _rated(self, rate: float) -> float:
        return (1 - NEWEST_WEIGHT) * self.rate + NEWEST_WEIGHT * rate if self.rate else rate

    def _asked(self, rows: float, limits: Limits, told_rows: int = 0, told_seconds: float = 0.0) -> "Size":
        return replace(self, told_rows=told_rows, told_seconds=told_seconds)._bounded(rows, limits)

    def _smaller(self, rows: float, limits: Limits) -> "Size":
        return self._bounded(min(self.rows, rows), limits)

    def _bounded(self, rows: float, limits: Limits) -> "Size":
        return replace(self, rows=max(1, min(int(rows + 1e-6), self._most(limits))))

    def _most(self, limits: Limits) -> int:
        return limits.most_rows(is_wal_known=self.row_wal > 0.0)
