"""Does what :mod:`headway.backfills.batches` orders, one transaction for each order, until it says that
all is done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy.engine import Connection

from headway.backfills import batches, endings, lanes
from headway.backfills.crew import HOLD_SECONDS, Crew
from headway.backfills.orders import Again, Finish, Gather, Leaf, Look, Open, Order, Outcome, Rest, Work
from headway.backfills.progress import share_done
from headway.backfills.sharing import share
from headway.backfills.state import State
from headway.backfills.stored import state_of
from headway.backfills.worker import UNSURE, Rewritten, Task, Worker
from headway.link import Link
from headway.wishes import parse

TOUCH_SECONDS = 10.0
"""Between signs of life while no batch of the first lane gives one."""


NO_LEAF = Leaf("", "")
"""Where all partitions are gone."""


def _nothing() -> None:
    """Needs no sign of life."""


@dataclass
class Driver:
    """One run of one backfill: the first worker, who also does what only one can do."""

    task: Task
    worker: Worker
    crew: Crew
    link: Link
    keep_alive: "Callable[[], None]" = _nothing
    """Called at times, so that the idle migration connection is not cut."""
    helping: "Worker | None" = None
    """On another lane, when the first one is over."""
    touched: float = field(default=float("-inf"))
    utilization: float = 0.0
    """As it was read before the last batch."""

    def run(self) -> State:
        """Until all is done, or a stop is wished: that ends in :meth:`Link.stop`.

        Raises BackfillIncomplete, TakenOver, and the database's error where trying again is no help.
        """
        try:
            while not isinstance(self._following(), Finish):
                self._go_on()
            return self.state
        finally:
            self.crew.close()

    @property
    def state(self) -> State:
        """Of the first lane, and of the whole in what a sweep comes to."""
        return self.worker.state

    def _following(self) -> Order:
        return batches.following(self.state, self.task.plan)[1]

    def _go_on(self) -> None:
        self.wait_until_allowed()
        # Only now: what waiting has come to (smaller batches, another session's state) decides, too.
        self.worker.state, order = batches.following(self.state, self.task.plan)
        try:
            self._do(order)
        except Rewritten:
            self._give_up_help()
            self.worker.state = batches.rewritten(self.state)
        except UNSURE as error:
            self.worker.recover(error, order)
        else:
            self.worker.losses = 0
        self.crew.board.keep(0, self.state)
        self.worker.refuse_too_many(sum(len(one.parked) for one in self.crew.board.others))
        self._report()

    def _do(self, order: Order) -> None:
        if isinstance(order, Work) and self.crew.is_to_share(self.worker):
            share(self.worker, self.crew.board, order.leaf)
        elif isinstance(order, (Work, Rest)):
            self.worker.change(order)
            self.touched = self.task.means.clock()
        elif isinstance(order, Open):
            self._open(order)
        elif isinstance(order, Look):
            self._look()
        elif isinstance(order, Again):
            self._again(order)
        elif isinstance(order, Gather):
            self._gather(order)

    def _open(self, order: Open) -> None:
        def work(connection: Connection) -> State:
            self._begin(connection, order.leaf)
            place, filenode = self.task.sweep.open(connection, order.leaf)
            return self._saved(connection, order.leaf, batches.opened(self.state, place, filenode))

        self._transact(work)

    def _look(self) -> None:
        leaf = self.task.plan.leaves[0]

        def work(connection: Connection) -> State:
            self._begin(connection, leaf)
            self.task.server.without_limit(connection)
            found = self.task.leftovers.look(connection)
            return self._saved(connection, leaf, endings.looked(self.state, found))

        self._transact(work)

    def _again(self, order: Again) -> None:
        by_key = self.task.by_key
        assert by_key is not None

        def work(connection: Connection) -> State:
            outcome = Outcome(0, 0)
            for leaf in self.task.plan.leaves:
                keys = tuple(one.key for one in order.parked if one.leaf == leaf.identity)
                self._begin(connection, leaf)
                each = by_key.update_again(connection, leaf, keys)
                outcome = replace(
                    outcome, updated=outcome.updated + each.updated, parked=outcome.parked + each.parked
                )
            return self._saved(connection, leaf, endings.retried(self.state, order.parked, outcome))

        self._transact(work)

    def _transact(self, work: "Callable[[Connection], State]") -> None:
        def transact(connection: Connection) -> State:
            with self.task.server.transaction(connection):
                return work(connection)

        self.worker.state = self.worker.session.do(transact)

    def _begin(self, connection: Connection, leaf: Leaf) -> None:
        self.task.server.begin(connection, leaf, self.worker.target_ms)

    def _saved(self, connection: Connection, leaf: Leaf, state: State) -> State:
        state = self.worker.with_time(state)
        worker = self.worker
        worker.met(self.task.server.save(connection, leaf, worker.checkpoint, worker.fence, state))
        return state

    def _gather(self, order: Gather) -> None:
        """Help with a lane that nobody works on, wait for those who work, or make one state of all."""
        board = self.crew.board
        board.first_works(False)
        if order.is_given_up:
            self._give_up_help()
            board.recall()
        elif self._helps():
            self._stay_alive()
            return
        if board.is_busy:
            board.wait()
            self._stay_alive()
            return
        self._fold(order.is_given_up)

    def _helps(self) -> bool:
        """With one batch, if there is a lane for it."""
        if self.helping is None:
            lane = self.crew.board.spare()
            if lane is None:
                return False
            self.helping = self.crew.begin(lane, self.worker.session)
        helping = self.helping
        helping.allowed(self.worker.wished, self.utilization)
        before = helping.losses
        if not self.crew.step(helping):
            self._give_up_help()
        if helping.losses > before:
            # The session is another one, and has to be seen as that of the run.
            self.worker.take()
        return True

    def _give_up_help(self) -> None:
        if self.helping is not None:
            self.crew.board.leave(self.helping.checkpoint.lane)
            self.helping = None

    def _fold(self, is_given_up: bool) -> None:
        """One state again, unless the table says that a share is still open."""
        worker, leaf = self.worker, next(iter(self.task.plan.leaves), NO_LEAF)

        def fold(connection: Connection) -> "tuple[State, dict[int, State]]":
            with self.task.server.transaction(connection):
                self._begin(connection, leaf)
                others = {
                    one: state_of(text) for one, text in worker.checkpoint.take_others(connection).items()
                }
                left = {} if is_given_up else {n: one for n, one in others.items() if lanes.is_open(one)}
                if left:
                    return self.state, others
                state = self._saved(connection, leaf, lanes.gathered(self.state, others.values()))
                worker.checkpoint.close_others(connection)
                return state, {}

        worker.state, others = worker.session.do(fold)
        self.crew.board.renew(others)
        self.crew.is_rewritten = False
        self.crew.board.first_works(not others)

    def wait_until_allowed(self) -> None:
        """At once if nothing holds. A stop that is wished ends the run here, between two batches."""
        while True:
            wishes = parse(self.link.wishes())
            if wishes.stop:
                # What the others commit meanwhile belongs to the numbers that people keep.
                self.crew.close()
                self._report(is_last=True)
                self.link.stop(
                    wishes.stop_reason or f"The backfill of {self.task.reports.table} was asked to stop."
                )
            self.crew.check()
            verdict = self.task.throttle.verdict()
            hold = verdict.hold or wishes.pause or wishes.throttle
            self.task.reports.hold(hold)
            self.keep_alive()
            is_sweeping = isinstance(self._following(), (Work, Gather))
            self.crew.adapt(verdict, wishes, bool(hold), is_sweeping)
            if not hold:
                self.crew.notice(self.task.unheard(wishes))
                self.utilization = verdict.utilization
                self.worker.allowed(wishes, verdict.utilization)
                if self.crew.is_rewritten:
                    self.worker.state = batches.rewritten(self.state)
                return
            self._report()
            self._stay_alive()
            self.task.means.sleep(HOLD_SECONDS)

    def _stay_alive(self) -> None:
        """A connection that is cut while it holds is made anew, as in a batch."""
        now = self.task.means.clock()
        if now - self.touched < TOUCH_SECONDS:
            return
        self.touched = now
        try:
            self.worker.touch()
        except UNSURE as error:
            self.worker.recover(error, None)
        else:
            self.worker.losses = 0

    def _report(self, is_last: bool = False) -> None:
        others = self.crew.board.others
        tally = lanes.gathered(self.state, others).tally
        place = batches.fraction(self.state, self.task.plan, others)
        fraction = share_done(place, tally.rows, self.state.rows_total)
        told = self.task.reports.progress(tally, fraction, self.crew.board.at_work, is_last)
        self.worker.state = replace(self.state, tally=replace(self.state.tally, percent=told))
