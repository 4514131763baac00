"""Does what :mod:`headway.backfills.batches` orders, one transaction for each order, until it says that
all is done.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills import batches, endings
from headway.backfills.checkpoint import Checkpoint
from headway.backfills.failures import Cause, Failure, failure_of
from headway.backfills.leftovers import Leftovers
from headway.backfills.orders import Again, Finish, Look, Meter, Open, Order, Outcome, Plan, Rest, Work
from headway.backfills.reports import Reports
from headway.backfills.servers import Server
from headway.backfills.session import Session
from headway.backfills.sizes import MOST_ROWS, Limits
from headway.backfills.state import State
from headway.backfills.stored import state_of
from headway.backfills.sweeps import ByKey, Sweep
from headway.link import Link
from headway.pace import PACES, Pace
from headway.throttle.own import OwnWork
from headway.throttle.verdict import Throttle
from headway.wishes import Wishes, parse

HOLD_SECONDS = 0.2
"""Between looks at what holds."""
TOUCH_SECONDS = 10.0
"""Between signs of life while it holds."""
UNSURE = (DBAPIError, OSError)
"""What a driver raises, also while it connects."""
LOST_TRIES = 12
LONGEST_PAUSE_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.05
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


@dataclass
class Driver:
    """One run of one backfill."""

    plan: Plan
    sweep: Sweep
    by_key: "ByKey | None"
    """None along blocks: a row that was updated lies elsewhere, so they are swept again instead."""
    leftovers: Leftovers
    server: Server
    session: Session
    checkpoint: Checkpoint
    fence: int
    state: State
    link: Link
    throttle: Throttle
    own: OwnWork
    reports: Reports
    row_bytes: float
    pace: Pace | None = None
    """The caller's own; None: what is wished."""
    batch_rows: int | None = None
    means: Means = field(default=Means())
    keep_alive: Callable[[], None] = lambda: None
    """Called at times, so that the idle migration connection is not cut."""
    losses: int = 0
    wished: Wishes = field(default=Wishes())
    """As it was read before the last batch."""

    def run(self) -> State:
        """Until all is done, or a stop is wished: that ends in :meth:`Link.stop`.

        Raises :class:`BackfillIncomplete`, TakenOver, and the database's error where trying again is no help.
        """
        while True:
            if isinstance(batches.following(self.state, self.plan)[1], Finish):
                return self.state
            self.wait_until_allowed()
            # Only now: what waiting has come to (smaller batches, another session's state) decides, too.
            self.state, order = batches.following(self.state, self.plan)
            try:
                self._do(order)
            except Rewritten:
                self.state = batches.rewritten(self.state)
            except UNSURE as error:
                self._recover(error, order)
            else:
                self.losses = 0
            self._refuse_too_many()
            self._report()

    def _do(self, order: Order) -> None:
        if isinstance(order, (Work, Rest)):
            self._timed(order)
        elif isinstance(order, Open):
            self.state = self.session.do(lambda connection: self._open(connection, order))
        elif isinstance(order, Look):
            self.state = self.session.do(self._look)
        elif isinstance(order, Again):
            self.state = self.session.do(lambda connection: self._again(connection, order))

    def _timed(self, order: "Work | Rest") -> None:
        started = self.means.clock()
        state, outcome, meter = self.session.do(lambda connection: self._change(connection, order))
        seconds = self.means.clock() - started
        piece = order.piece if isinstance(order, Work) else None
        self.state = batches.measured(state, piece, outcome, meter, seconds, self._limits(self.wished))

    def _change(self, connection: Connection, order: "Work | Rest") -> tuple[State, Outcome, Meter]:
        """One batch: the rows and the state in one transaction."""
        with self.server.transaction(connection):
            before = self.server.begin(connection, order.leaf, self._pace(self.wished).target_ms)
            outcome = self._updated(connection, order)
            if self.plan.must_clear and outcome.stuck:
                raise NotCleared(
                    f"{outcome.stuck} rows of a batch of {self.reports.table} still meet the condition after their "
                    "update, and the expression reads what it sets: the next sweep would apply it twice. The batch "
                    "was taken back. Give a where= that every updated row leaves, or exactly_once=True."
                )
            if isinstance(order, Work):
                state = batches.worked(self.state, order, outcome)
            else:
                state = endings.rested(self.state, order, outcome)
            state = self.with_time(state)
            after = self.server.save(connection, order.leaf, self.checkpoint, self.fence, state)
            if isinstance(order, Work) and state.filenode and after.filenode != state.filenode:
                raise Rewritten
            worked = self.means.clock()
        self.own.committed((self.means.clock() - worked) * 1000.0)
        return state, outcome, after.since(before)

    def _updated(self, connection: Connection, order: "Work | Rest") -> Outcome:
        if isinstance(order, Work):
            change = self.sweep.update_each if order.is_one_by_one else self.sweep.update
            return change(connection, order)
        update = self.leftovers.update_each if order.is_one_by_one else self.leftovers.update
        return update(connection, order.leaf, order.rows)

    def _open(self, connection: Connection, order: Open) -> State:
        with self.server.transaction(connection):
            self.server.begin(connection, order.leaf, self._pace(self.wished).target_ms)
            place, filenode = self.sweep.open(connection, order.leaf)
            state = self.with_time(batches.opened(self.state, place, filenode))
            self.server.save(connection, order.leaf, self.checkpoint, self.fence, state)
        return state

    def _look(self, connection: Connection) -> State:
        leaf = self.plan.leaves[0]
        with self.server.transaction(connection):
            self.server.begin(connection, leaf, self._pace(self.wished).target_ms)
            self.server.without_limit(connection)
            found = self.leftovers.look(connection)
            state = self.with_time(endings.looked(self.state, found))
            self.server.save(connection, leaf, self.checkpoint, self.fence, state)
        return state

    def _again(self, connection: Connection, order: Again) -> State:
        assert self.by_key is not None
        with self.server.transaction(connection):
            outcome = Outcome(0, 0)
            for leaf in self.plan.leaves:
                keys = tuple(one.key for one in order.parked if one.leaf == leaf.identity)
                self.server.begin(connection, leaf, self._pace(self.wished).target_ms)
                each = self.by_key.update_again(connection, leaf, keys)
                outcome = replace(
                    outcome, updated=outcome.updated + each.updated, parked=outcome.parked + each.parked
                )
            state = self.with_time(endings.retried(self.state, order.parked, outcome))
            self.server.save(connection, leaf, self.checkpoint, self.fence, state)
        return state

    def with_time(self, state: State) -> State:
        """With the seconds of this run in the tally."""
        return replace(state, tally=self.reports.timed(state.tally, self.throttle.verdict().blocked_ms))

    def _recover(self, error: Exception, order: "Order | None") -> None:
        """Make what comes next fit the failure, or raise it."""
        failure = failure_of(error)
        if failure.cause is Cause.FATAL:
            raise error
        is_batch = isinstance(order, (Work, Rest)) and not order.is_one_by_one
        if failure.cause is Cause.DATA and not is_batch:
            if self.state.parked or self.state.is_searched:
                raise self._cannot_tell(failure) from error
            self.state = endings.searched(self.state)
            return
        if failure.cause is Cause.LOST:
            self._reconnect(error)
            return
        self.state = batches.failed(self.state, failure.cause is Cause.DATA, DIVISORS[failure.cause])
        self.reports.retried(failure)
        if failure.cause is not Cause.DATA:
            self._pause(self.state.tries)

    def _reconnect(self, error: Exception) -> None:
        """A commit may have been cut: the checkpoint tells what became of it."""
        self.losses += 1
        self.reports.retried(Failure(Cause.LOST, ""))
        while True:
            if self.losses > LOST_TRIES:
                raise error
            self._pause(self.losses)
            try:
                self.session.renew()
                self.session.do(self._reload)
            except UNSURE as again:
                if failure_of(again).cause is not Cause.LOST:
                    raise
                self.losses += 1
            else:
                return

    def _reload(self, connection: Connection) -> None:
        with self.server.transaction(connection):
            self.fence, text = self.checkpoint.retake(connection)
        size = self.state.size.divided(DIVISORS[Cause.LOST])
        self.state = replace(state_of(text), size=size)

    def _pause(self, tries: int) -> None:
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(tries, 16))
        self.means.sleep(longest * (0.5 + 0.5 * self.means.chance()))

    def _refuse_too_many(self) -> None:
        most = batches.most_parked(self.plan)
        if len(self.state.parked) > most:
            raise self.incomplete(
                f"More than {most} rows cannot be updated, so it stopped early", "up to there "
            )

    def _cannot_tell(self, failure: Failure) -> BackfillIncomplete:
        """What is left cannot be looked for, because that itself fails on rows that were parked, or others."""
        if self.state.parked:
            return self.incomplete("Rows could not be updated")
        return BackfillIncomplete(
            f"Which rows of {self.reports.table} are still to be updated cannot be told: where=, or the expression "
            f"that is compared with the column, fails on some of them (error code {failure.code}). Put these rows "
            "right, or write it so that it holds for every row, and run the revision again: it goes on from here."
        )

    def incomplete(self, sentence: str, how_far: str = "") -> BackfillIncomplete:
        """The error that tells the parked rows by their keys."""
        rows = [f"({', '.join(one.key)}) {one.sqlstate}" for one in self.state.parked[:20]]
        more = len(self.state.parked) - len(rows)
        return BackfillIncomplete(
            f"{sentence}: {self.reports.table}, key and error code: {'; '.join(rows)}"
            f"{f' and {more} more' if more else ''}. "
            f"All other rows {how_far}are done. Put these rows right, and run the revision again: it tries them "
            "once more."
        )

    def wait_until_allowed(self) -> None:
        """At once if nothing holds. A stop that is wished ends the run here, between two batches."""
        touched = self.means.clock()
        while True:
            self.wished = wishes = parse(self.link.wishes())
            if wishes.stop:
                self.link.stop(
                    wishes.stop_reason or f"The backfill of {self.reports.table} was asked to stop."
                )
            verdict = self.throttle.verdict()
            hold = verdict.hold or wishes.pause or wishes.throttle
            self.reports.hold(hold)
            self.keep_alive()
            if not hold:
                size = self.state.size.busy(verdict.utilization, self._limits(wishes))
                self.state = replace(self.state, size=size)
                return
            self._report()
            if self.means.clock() - touched >= TOUCH_SECONDS:
                touched = self.means.clock()
                self._stay_alive()
            self.means.sleep(HOLD_SECONDS)

    def _stay_alive(self) -> None:
        """A connection that is cut while it holds is made anew, as in a batch."""
        try:
            self.session.do(self._touch)
        except UNSURE as error:
            self._recover(error, None)
        else:
            self.losses = 0

    def _touch(self, connection: Connection) -> None:
        with self.server.transaction(connection):
            self.checkpoint.touch(connection, self.fence)

    def _report(self) -> None:
        told = self.reports.progress(self.state.tally, batches.fraction(self.state, self.plan))
        self.state = replace(self.state, tally=replace(self.state.tally, percent=told))

    def _pace(self, wishes: Wishes) -> Pace:
        return self.pace or PACES[wishes.pace]

    def _limits(self, wishes: Wishes) -> Limits:
        seconds = self._pace(wishes).target_ms / 1000.0
        return Limits(seconds, self.row_bytes, self.batch_rows or MOST_ROWS)
