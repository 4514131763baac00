"""Who works on a backfill beside the first worker: threads with sessions of their own, each on a lane.

Rule: only who works on a lane changes it, between two of its batches; so it is he who gives half of his share away
when somebody has nothing to do. A lane whose worker has left waits for the next one, who begins with what its
checkpoint says. Nothing that ends a thread is lost: the first worker raises it.
"""

import threading
from collections.abc import Callable

from headway.backfills import batches
from headway.backfills.board import Board
from headway.backfills.checkpoint import Checkpoint
from headway.backfills.failures import Cause, failure_of
from headway.backfills.session import SameSession, Session
from headway.backfills.sharing import share
from headway.backfills.staffing import MOST_WORKERS, Staff
from headway.backfills.worker import UNSURE, Rewritten, Task, Worker
from headway.facts import Noticed, tell
from headway.link import Link
from headway.throttle.look import said
from headway.throttle.verdict import Verdict
from headway.wishes import Wishes, parse

HOLD_SECONDS = 0.2
"""Between looks at what holds."""
AGAIN_SECONDS = 60.0
"""After a session that could not be had, until another is tried."""
CLOSE_SECONDS = 15.0
"""How long the end waits for batches that go on; whoever comes later finds that the lane is somebody else's."""
ONE_SERVER = "one session works on it: only on PostgreSQL several can share a table"


class Crew:
    """Of one run of one backfill."""

    def __init__(
        self,
        task: Task,
        link: Link,
        checkpoint: Checkpoint,
        board: Board,
        session: "Callable[[], Session] | None" = None,
        most: "int | None" = None,
    ) -> None:
        """``session`` makes one, None: there can be none; ``most``: the revision's own limit."""
        self._task, self._link, self._checkpoint, self._session = task, link, checkpoint, session
        self.board, self._most = board, most
        self._threads: set[threading.Thread] = set()
        self._counting = threading.Lock()
        self._staff = Staff(task.means.clock())
        self._full_until = float("-inf")
        self._is_closing = False
        self._failure: BaseException | None = None
        self._told: set[str] = set()
        self.is_rewritten = False
        """A thread has seen that the table has other blocks."""

    def check(self) -> None:
        """Raises what has ended a thread."""
        if self._failure is not None:
            raise self._failure

    def adapt(self, verdict: Verdict, wishes: Wishes, is_held: bool, is_sweeping: bool) -> None:
        """As many as are good for the database; ``is_sweeping``: there may be something to share."""
        now, limit = self._task.means.clock(), self._limit(wishes)
        with self._counting:
            if now < self._full_until:
                limit = min(limit, 1 + len(self._threads))
            self._staff = self._staff.after(verdict.utilization, is_held, limit, now)
            missing = self._staff.wanted - 1 - len(self._threads)
            fresh = [self._thread() for _ in range(missing)] if is_sweeping and not is_held else []
            self._threads.update(fresh)
        for thread in fresh:
            thread.start()

    def _limit(self, wishes: Wishes) -> int:
        limit = min((one for one in (self._most, wishes.max_workers) if one), default=1)
        if limit > 1 and self._session is None:
            self.notice(ONE_SERVER)
            return 1
        return min(limit, MOST_WORKERS)

    def close(self) -> None:
        """Everybody leaves after the batch that goes on."""
        self._is_closing = True
        self.board.wake()
        with self._counting:
            threads = tuple(self._threads)
        end = self._task.means.clock() + CLOSE_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - self._task.means.clock()))

    def begin(self, lane: int, session: Session) -> Worker:
        """Take over a lane that :class:`Board` gave out, with what its checkpoint says; left again if that fails.

        Raises TakenOver and what the driver raises.
        """
        worker = Worker(self._task, session, self._checkpoint.of(lane), 0, self.board.state(lane))
        try:
            while True:
                try:
                    worker.take()
                    return worker
                except UNSURE as error:
                    worker.recover(error, None)
        except BaseException:
            self.board.leave(lane)
            raise

    def step(self, worker: Worker) -> bool:
        """One batch of its lane; False: nothing is left. Raises :class:`Rewritten` and what :meth:`begin` raises."""
        lane = worker.checkpoint.lane
        worker.state, order = batches.in_lane(worker.state, self._task.plan)
        if order is None:
            self.board.keep(lane, worker.state)
            return False
        try:
            if self.is_to_share(worker):
                share(worker, self.board, order.leaf)
            else:
                worker.change(order)
        except UNSURE as error:
            worker.recover(error, order)
        else:
            worker.losses = 0
        worker.refuse_too_many()
        self.board.keep(lane, worker.state)
        return True

    def is_to_share(self, worker: Worker) -> bool:
        """Half of what its lane has left is for somebody else."""
        return self.board.is_to_be_divided(worker.checkpoint.lane) and not worker.state.tries

    def _thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="headway-lane", daemon=True)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - the first worker raises it
            self._failure = error
        finally:
            with self._counting:
                self._threads.discard(threading.current_thread())
            self.board.wake()

    def _work(self) -> None:
        assert self._session is not None
        try:
            session = self._session()
        except Exception as error:  # noqa: BLE001 - whatever a driver, or the user's way to connect, raises
            self._is_full(str(error) if isinstance(error, SameSession) else said(error))
            return
        try:
            while (lane := self.board.next(self._leaves)) is not None:
                if not self._work_on(lane, session):
                    return
        finally:
            session.close()

    def _work_on(self, lane: int, session: Session) -> bool:
        """Until nothing is left or somebody wishes otherwise; False: its session is lost for good."""
        try:
            worker = self.begin(lane, session)
            while (allowed := self._allowed()) is not None:
                worker.allowed(*allowed)
                if not self.step(worker):
                    break
        except Rewritten:
            self.is_rewritten = True
            self.board.recall()
        except UNSURE as error:
            if failure_of(error).cause is not Cause.LOST:
                raise
            self._is_full(said(error))
            return False
        finally:
            self.board.leave(lane)
        return True

    def _allowed(self) -> "tuple[Wishes, float] | None":
        """Wait until nothing holds; None: leave the lane."""
        while not (self._leaves() or self.board.is_recalled):
            wishes = parse(self._link.wishes())
            if wishes.stop:
                # The first worker stops, too, and ends the run.
                self._is_closing = True
                return None
            verdict = self._task.throttle.verdict()
            if not (verdict.hold or wishes.pause or wishes.throttle):
                return wishes, verdict.utilization
            self._task.means.sleep(HOLD_SECONDS)
        return None

    def _leaves(self) -> bool:
        """This thread is one too many, or it is over; then it is counted no more."""
        with self._counting:
            me = threading.current_thread()
            if me in self._threads and len(self._threads) > self._staff.wanted - 1:
                self._threads.discard(me)
            return self._is_closing or self._failure is not None or me not in self._threads

    def _is_full(self, why: str) -> None:
        with self._counting:
            self._full_until = self._task.means.clock() + AGAIN_SECONDS
            self._threads.discard(threading.current_thread())
        self.notice(f"it goes on without a further session, which cannot be had: {why}")

    def notice(self, text: str) -> None:
        """What a person should know, once; empty: nothing."""
        if text and text not in self._told:
            self._told.add(text)
            tell(self._link, Noticed(f"Backfill of {self._task.reports.table}: {text}."))
