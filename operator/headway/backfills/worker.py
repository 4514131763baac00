"""One session at work on one lane of a backfill: a batch at a time, and what follows when one fails."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills import batches, endings
from headway.backfills.checkpoint import Checkpoint
from headway.backfills.company import Company
from headway.backfills.failures import Cause, Failure, failure_of
from headway.backfills.leftovers import Leftovers
from headway.backfills.orders import Order, Outcome, Plan, Rest, Work
from headway.backfills.reports import Reports
from headway.backfills.servers import Reading, Server
from headway.backfills.session import Session
from headway.backfills.sizes import MOST_ROWS, Limits
from headway.backfills.state import State
from headway.backfills.stored import state_of
from headway.backfills.sweeps import ByKey, Sweep
from headway.pace import PACES, Pace
from headway.throttle.own import OwnWork
from headway.throttle.verdict import Throttle
from headway.wishes import Wishes

UNSURE = (DBAPIError, OSError)
"""What a driver raises, also while it connects."""
LOST_TRIES = 12
LONGEST_PAUSE_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.05
BATCH_STATEMENTS = 2
"""That find and update the rows of a batch. Without rows they take as long as the one that writes the state down."""
DIVISORS = {Cause.DATA: 4, Cause.SLOW: 4, Cause.BUSY: 2, Cause.LOST: 2}


class Rewritten(Exception):
    """The table has other blocks than when the sweep began (VACUUM FULL, CLUSTER and the like)."""


class NotCleared(Exception):
    """A condition that was taken for one that no updated row meets is none; what was done twice: nothing."""


class BackfillIncomplete(Exception):
    """Rows could not be updated; the text has their keys. All others are done, and a rerun tries these
    again.
    """


@dataclass(frozen=True)
class Means:
    """Clock, sleep and chance; others in tests."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


class WrittenLog:
    """How much was written to the WAL while any of the workers was in a batch: what several see counts once."""

    def __init__(self) -> None:
        self._counted = 0
        self._lock = threading.Lock()

    def between(self, before: Reading, after: Reading) -> int:
        """Bytes that nobody has counted yet."""
        with self._lock:
            new = max(0, after.wal - max(before.wal, self._counted))
            self._counted = max(self._counted, after.wal)
        return new


@dataclass(frozen=True)
class Task:
    """What there is to do, the same for all who work on it."""

    plan: Plan
    sweep: Sweep
    by_key: "ByKey | None"
    """None along blocks: a row that was updated lies elsewhere, so they are swept again instead."""
    leftovers: Leftovers
    server: Server
    throttle: Throttle
    own: OwnWork
    reports: Reports
    row_bytes: float
    toast_bytes: float = 0.0
    pace: Pace | None = None
    """The caller's own; None: what is wished."""
    batch_rows: int | None = None
    means: Means = field(default=Means())
    log: WrittenLog = field(default_factory=WrittenLog)

    def paced(self, wishes: Wishes) -> Pace:
        """As the caller has it, or as it is wished where that is gentler."""
        return wishes.counting(self.pace)

    def unheard(self, wishes: Wishes) -> str:
        """That a wished pace does not count, without a full stop; empty: it does, or none is wished."""
        pace = self.paced(wishes)
        if not wishes.is_named_pace or pace.target_ms >= PACES[wishes.pace].target_ms:
            return ""
        return f"the pace {wishes.pace} is wished, but it goes at the pace {pace.name}, which is gentler"

    def limits(self, wishes: Wishes, is_alone: bool = False) -> Limits:
        """Of a batch's size. While nobody else writes, nobody can meet the rows that it locks."""
        pace = self.paced(wishes)
        return Limits(
            pace.target_ms / 1000.0,
            self.row_bytes,
            self.toast_bytes,
            self.batch_rows or MOST_ROWS,
            table_rows=sum(leaf.rows for leaf in self.plan.leaves),
            most_share=1.0 if self.batch_rows or is_alone else pace.most_share,
        )


@dataclass
class Worker:
    """Works on the lane whose checkpoint it holds."""

    task: Task
    session: Session
    checkpoint: Checkpoint
    fence: int
    state: State
    losses: int = 0
    wished: Wishes = field(default=Wishes())
    """As it was read before the last batch."""
    company: Company = field(default=Company())

    @property
    def target_ms(self) -> float:
        """As it is wished now."""
        return self.task.paced(self.wished).target_ms

    def allowed(self, wishes: Wishes, utilization: float) -> None:
        """Nothing holds: what the next batch may be."""
        before, limits = self._limits, self.task.limits(wishes, self._is_alone)
        self.wished = wishes
        size = self.state.size.within(limits)
        if limits.target_seconds < before.target_seconds:
            size = size.slowed(limits)
        size = size.busy(utilization, limits)
        self.state = replace(self.state, size=size)

    def change(self, order: "Work | Rest") -> None:
        """One batch. Raises :class:`Rewritten`, :class:`NotCleared`, TakenOver and what the driver raises."""
        started = self.task.means.clock()
        state, outcome, before, after = self.session.do(lambda connection: self._change(connection, order))
        seconds = self.task.means.clock() - started
        meter = replace(after.since(before), wal_bytes=self.task.log.between(before, after))
        piece = order.piece if isinstance(order, Work) else None
        self.met(after)
        self.state = batches.measured(state, piece, outcome, meter, seconds, self._limits)

    @property
    def _limits(self) -> Limits:
        return self.task.limits(self.wished, self._is_alone)

    @property
    def _is_alone(self) -> bool:
        return self.company.is_alone(self.task.means.clock())

    def met(self, reading: Reading) -> None:
        """Who else writes, by a transaction of its own."""
        self.company = self.company.after(reading.transaction, self.task.means.clock())

    def _change(
        self, connection: Connection, order: "Work | Rest"
    ) -> tuple[State, Outcome, Reading, Reading]:
        """The rows and the state in one transaction."""
        task = self.task
        with task.server.transaction(connection):
            before = task.server.begin(connection, order.leaf, self.target_ms)
            started = task.means.clock()
            outcome = self._updated(connection, order)
            updated = task.means.clock()
            if task.plan.must_clear and outcome.stuck:
                raise NotCleared(
                    f"{outcome.stuck} rows of a batch of {task.reports.table} still meet the condition after their "
                    "update, and the expression reads what it sets: the next sweep would apply it twice. The batch "
                    "was taken back. Give a where= that every updated row leaves, or exactly_once=True."
                )
            if isinstance(order, Work):
                state = batches.worked(self.state, order, outcome)
            else:
                state = endings.rested(self.state, order, outcome)
            state = self.with_time(state)
            after = task.server.save(connection, order.leaf, self.checkpoint, self.fence, state)
            if isinstance(order, Work) and state.filenode and after.filenode != state.filenode:
                raise Rewritten
            worked = task.means.clock()
        task.own.committed((task.means.clock() - worked) * 1000.0)
        rows_seconds = max(0.0, (updated - started) - BATCH_STATEMENTS * (worked - updated))
        return state, replace(outcome, seconds=rows_seconds), before, after

    def _updated(self, connection: Connection, order: "Work | Rest") -> Outcome:
        if isinstance(order, Work):
            change = self.task.sweep.update_each if order.is_one_by_one else self.task.sweep.update
            return change(connection, order)
        leftovers = self.task.leftovers
        update = leftovers.update_each if order.is_one_by_one else leftovers.update
        return update(connection, order.leaf, order.rows)

    def with_time(self, state: State) -> State:
        """With the seconds of this run in the tally; those of the whole are the first lane's."""
        if self.checkpoint.lane:
            return state
        blocked_ms = self.task.throttle.verdict().blocked_ms
        return replace(state, tally=self.task.reports.timed(state.tally, blocked_ms))

    def recover(self, error: Exception, order: "Order | None") -> None:
        """Make what comes next fit the failure, or raise it."""
        failure = failure_of(error)
        if failure.cause is Cause.FATAL:
            raise error
        is_batch = isinstance(order, (Work, Rest)) and not order.is_one_by_one
        if failure.cause is Cause.DATA and not is_batch:
            if self.checkpoint.lane or self.state.parked or self.state.is_searched:
                raise self._cannot_tell(failure) from None
            self.state = endings.searched(self.state)
            return
        if failure.cause is Cause.LOST:
            self._reconnect(error)
            return
        self.state = batches.failed(self.state, failure.cause is Cause.DATA, DIVISORS[failure.cause])
        self.task.reports.retried(failure)
        if failure.cause is not Cause.DATA:
            self._pause(self.state.tries)

    def _reconnect(self, error: Exception) -> None:
        """A commit may have been cut: the checkpoint tells what became of it."""
        self.losses += 1
        self.task.reports.retried(Failure(Cause.LOST, ""))
        while True:
            if self.losses > LOST_TRIES:
                raise error
            self._pause(self.losses)
            try:
                self.session.renew()
                self.take()
            except UNSURE as again:
                if failure_of(again).cause is not Cause.LOST:
                    raise
                self.losses += 1
            else:
                self.state = replace(self.state, size=self.state.size.divided(DIVISORS[Cause.LOST]))
                return

    def take(self) -> None:
        """Go on with the lane from what its checkpoint says. Raises TakenOver."""

        def read(connection: Connection) -> tuple[int, str]:
            with self.task.server.transaction(connection):
                return self.checkpoint.retake(connection)

        size = self.state.size
        self.fence, text = self.session.do(read)
        self.state = replace(state_of(text), size=size, key=self.state.key)

    def _pause(self, tries: int) -> None:
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(tries, 16))
        self.task.means.sleep(longest * (0.5 + 0.5 * self.task.means.chance()))

    def touch(self) -> None:
        """Tell that this run lives. Raises TakenOver and what the driver raises."""

        def touch(connection: Connection) -> None:
            with self.task.server.transaction(connection):
                self.checkpoint.touch(connection, self.fence)

        self.session.do(touch)

    def _cannot_tell(self, failure: Failure) -> BackfillIncomplete:
        """What is left cannot be looked for, because that itself fails on rows that were parked, or others."""
        if self.state.parked:
            return self.incomplete("Rows could not be updated")
        return BackfillIncomplete(
            f"Which rows of {self.task.reports.table} are still to be updated cannot be told: where=, or the "
            f"expression that is compared with the column, fails on some of them (error code {failure.code}). Put "
            "these rows right, or write it so that it holds for every row, and run the revision again: it goes on "
            "from here."
        )

    def incomplete(self, sentence: str, how_far: str = "") -> BackfillIncomplete:
        """The error that tells the parked rows by their keys."""
        rows = [f"({', '.join(one.key)}) {one.sqlstate}" for one in self.state.parked[:20]]
        more = len(self.state.parked) - len(rows)
        return BackfillIncomplete(
            f"{sentence}: {self.task.reports.table}, key and error code: {'; '.join(rows)}"
            f"{f' and {more} more' if more else ''}. "
            f"All other rows {how_far}are done. Put these rows right, and run the revision again: it tries them "
            "once more."
        )

    def refuse_too_many(self, elsewhere: int = 0) -> None:
        """Raises :class:`BackfillIncomplete`; ``elsewhere``: rows that other lanes have parked."""
        most = batches.most_parked(self.task.plan)
        if len(self.state.parked) + elsewhere > most:
            raise self.incomplete(
                f"More than {most} rows cannot be updated, so it stopped early", "up to there "
            )
