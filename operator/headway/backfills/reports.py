"""What a backfill tells while it works: at most twice a second, and its beginning and its end."""

from collections.abc import Callable
from dataclasses import replace

from headway.backfills.failures import Cause, Failure
from headway.backfills.progress import Progress, percent
from headway.backfills.tally import Tally
from headway.facts import BackfillProgressed, BackfillStarted, Noticed, tell
from headway.link import Link

EVERY_SECONDS = 0.5
RETRIES_TOLD_SECONDS = 30.0
"""Between two that have the same cause."""
_WHY = {
    Cause.DATA: "a row does not allow the update, so it is searched for",
    Cause.BUSY: "a conflict with another session",
    Cause.SLOW: "a lock or the statement took too long",
    Cause.LOST: "the connection was lost",
}


class Reports:
    """Of one run; keeps its times."""

    def __init__(
        self,
        link: Link,
        clock: Callable[[], float],
        started: BackfillStarted,
        tally: Tally,
        fraction: float,
    ) -> None:
        """Tells at once that it begins."""
        self.table = started.table
        self._link = link
        self._clock = clock
        self._started = started
        self._before = tally
        self._began = clock()
        self._progress = Progress.begun(self._began, tally.rows, fraction)
        self._told_at = float("-inf")
        self._retry_told_at: dict[Cause, float] = {}
        self._hold = ""
        self._hold_since = 0.0
        self._held = 0.0
        tell(link, started)

    def timed(self, tally: Tally, blocked_ms: float) -> Tally:
        """With the times of this run added to those of the runs before."""
        return replace(
            tally,
            seconds=self._before.seconds + self._clock() - self._began,
            throttled_seconds=self._before.throttled_seconds + self._held + self._present_hold(),
            blocked_ms=self._before.blocked_ms + blocked_ms,
        )

    def hold(self, reason: str) -> None:
        """What holds it now; empty: nothing."""
        if reason and not self._hold:
            self._hold_since = self._clock()
        if self._hold and not reason:
            self._held += self._present_hold()
        if bool(reason) != bool(self._hold):
            self._told_at = float("-inf")
        self._hold = reason

    def _present_hold(self) -> float:
        return self._clock() - self._hold_since if self._hold else 0.0

    def retried(self, failure: Failure) -> None:
        """A batch is tried again; each cause is told now and then."""
        now, cause = self._clock(), failure.cause
        if now - self._retry_told_at.get(cause, float("-inf")) < RETRIES_TOLD_SECONDS:
            return
        self._retry_told_at[cause] = now
        why = _WHY[cause] + (f" ({failure.code})" if failure.code else "")
        tell(self._link, Noticed(f"Backfill of {self.table}: {why}; it goes on with smaller batches."))

    def progress(self, tally: Tally, fraction: float, workers: int = 1, is_last: bool = False) -> float:
        """The percentage that is told from now on; the fact goes out if the last one is half a second old.

        ``is_last``: in any case, for the numbers of a stop are those that people keep.
        """
        now = self._clock()
        self._progress = self._progress.seen(now, tally.rows, fraction)
        told = percent(fraction, tally.percent)
        if is_last or now - self._told_at >= EVERY_SECONDS:
            self._told_at = now
            eta = self._progress.eta_seconds
            total = self._started.rows_total
            tell(
                self._link,
                BackfillProgressed(
                    operation=self._started.operation,
                    table=self.table,
                    rows_done=tally.rows,
                    rows_total=None if total is None else max(total, tally.rows),
                    percent=told,
                    rows_per_second=round(self._progress.rows_per_second, 1),
                    eta_seconds=None if eta is None else round(eta, 1),
                    workers=workers,
                    throttled_by=self._hold,
                    throttled_seconds=round(self._present_hold(), 1),
                ),
            )
        return told
