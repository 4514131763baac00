"""A backfill that may work: what its driver is made of, and what is watched beside it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from headway.backfills import batches, lanes, record
from headway.backfills.batches import fraction
from headway.backfills.board import Board
from headway.backfills.call import Call
from headway.backfills.checkpoint import NAME, Checkpoint
from headway.backfills.claim import Claim
from headway.backfills.clauses import Clauses
from headway.backfills.crew import Crew
from headway.backfills.driver import Driver
from headway.backfills.finishing import Finishing, sizes
from headway.backfills.kept_key import kept
from headway.backfills.key_texts import PostgresTexts, PythonTexts
from headway.backfills.keyset import Keyset, KeyTexts
from headway.backfills.known import Known
from headway.backfills.leftovers import Leftovers
from headway.backfills.orders import Plan
from headway.backfills.progress import share_done
from headway.backfills.queries import name_in
from headway.backfills.reports import Reports
from headway.backfills.servers import Postgres, Server, Sqlite
from headway.backfills.session import KeptAlive, Session, SessionBeside, SessionItself
from headway.backfills.state import State
from headway.backfills.striped import Striped
from headway.backfills.worker import Task, Worker
from headway.facts import BackfillFinished, BackfillStarted, Noticed, tell
from headway.pace import Pace
from headway.throttle.limits import Limits as WatchLimits
from headway.throttle.verdict import Throttle
from headway.throttle.watch import watch
from headway.wishes import parse

SQLITE = Pace("SQLite", 20.0)
"""Its batches keep everybody out."""


@dataclass
class Claimed:
    """A run that may work."""

    call: Call
    server: Server
    session: Session
    known: Known
    checkpoint: Checkpoint
    claim: Claim

    def run(self) -> BackfillFinished:
        """Until the record is written."""
        choice = self.claim.choice
        if self.claim.is_finished and (self.claim.built_upon or (choice.is_once and not choice.may_repeat)):
            return self._was_complete()
        throttle = self._watch()
        try:
            driver = self._driver(throttle)
            state = driver.run()
            if state.parked:
                raise driver.worker.incomplete("Rows could not be updated")
            return Finishing(self.call, self.server, self.session, self.known, self.checkpoint).finish(
                driver.worker.fence, driver.worker.with_time(state)
            )
        finally:
            throttle.close()

    def _watch(self) -> Throttle:
        call = self.call
        assert call.place.context.connection is not None
        return watch(
            call.place.context.connection.engine,
            self.known.table,
            lambda: parse(call.link.wishes()),
            call.own,
            schema=self.known.schema or None,
            queries=call.signals,
            search_path=dict(call.beside.settings).get("search_path", ""),
            limits=WatchLimits(pace=call.pace),
            notice=lambda text: tell(call.link, Noticed(f"Backfill of {self.known.table}: {text}.")),
        )

    def _was_complete(self) -> BackfillFinished:
        """Each row once, and that was done: nothing may happen again."""
        upon = self.claim.built_upon
        why = f"{upon} was applied to what it set" if upon else "each row is updated only once"
        message = (
            f"The backfill {self.call.operation} was complete already, and {why}. If its "
            f"updates were undone since, delete its rows of the table {NAME} and run the revision again."
        )
        tell(self.call.link, Noticed(message))
        return record.finished(self.call.operation, self.known.table, self.claim.state, (-1, -1))

    def _clauses(self) -> Clauses:
        dialect = self.call.place.dialect
        guard = self.claim.choice.guard
        return Clauses(self.call.asked, self.known, guard, lambda name: name_in(dialect, name))

    def _driver(self, throttle: Throttle) -> Driver:
        call, plan = self.call, self._plan()
        found = tuple(self.claim.lanes.values())
        state = batches.resumed(self._with_sizes(self.claim.state), plan, self.claim.is_finished, found)
        state = replace(state, key=() if plan.is_striped else kept(self.known.key))
        board = Board({lane: lanes.resumed(one, plan) for lane, one in self.claim.lanes.items()})
        task = self._task(throttle, plan, self._reports(state, plan, board.others))
        return Driver(
            task=task,
            worker=Worker(task, self.session, self.checkpoint, self.claim.fence, state),
            crew=Crew(task, call.link, self.checkpoint, board, self._further(), call.workers),
            link=call.link,
            keep_alive=self._keep_alive(),
        )

    def _task(self, throttle: Throttle, plan: Plan, reports: Reports) -> Task:
        clauses, call = self._clauses(), self.call
        by_key = None if self.claim.choice.strategy == "striped" else Keyset(clauses, self._texts())
        return Task(
            plan=plan,
            sweep=Striped(clauses) if by_key is None else by_key,
            by_key=by_key,
            leftovers=Leftovers(clauses),
            server=self.server,
            throttle=throttle,
            own=call.own,
            reports=reports,
            row_bytes=self.known.row_bytes,
            toast_bytes=self.known.toast_bytes,
            pace=call.pace or (SQLITE if isinstance(self.server, Sqlite) else None),
            batch_rows=call.asked.batch_rows,
            means=call.means,
        )

    def _further(self) -> "Callable[[], Session] | None":
        """How sessions are made for more workers."""
        if not isinstance(self.server, Postgres):
            return None
        return lambda: SessionBeside(self.call.beside, self.server, self.call.own, is_further=True)

    def _plan(self) -> Plan:
        choice = self.claim.choice
        return Plan(
            leaves=self.known.leaves,
            is_striped=choice.strategy == "striped",
            stripes=choice.stripes,
            must_clear=choice.must_clear,
            is_guarded=bool(choice.guard) and not choice.is_once,
            needs_hot=choice.needs_hot,
        )

    def _reports(self, state: State, plan: Plan, others: "tuple[State, ...]") -> Reports:
        choice, call = self.claim.choice, self.call
        tally = lanes.gathered(state, others).tally
        started = BackfillStarted(
            operation=call.operation,
            table=self.known.table,
            columns=", ".join(call.asked.columns),
            strategy=choice.strategy,
            reason=choice.reason,
            rows_done=tally.rows,
            rows_total=state.rows_total,
        )
        if self.claim.notice:
            tell(call.link, Noticed(f"Backfill of {self.known.table}: {self.claim.notice}."))
        done = share_done(fraction(state, plan, others), tally.rows, state.rows_total)
        return Reports(call.link, call.means.clock, started, tally, done)

    def _keep_alive(self) -> Callable[[], None]:
        connection = self.call.place.context.connection
        assert connection is not None
        is_used = isinstance(self.session, SessionItself)
        return (lambda: None) if is_used else KeptAlive(connection, self.call.means.clock)

    def _texts(self) -> KeyTexts:
        if self.known.dialect == "postgresql":
            return PostgresTexts(self.known.key)
        # MySQL understands rows, but reads the whole index for them.
        return PythonTexts(has_rows=self.known.dialect == "sqlite")

    def _with_sizes(self, state: State) -> State:
        if state.tally.heap_bytes >= 0:
            return state
        heap, index = self.session.do(lambda connection: sizes(connection, self.server, self.known))
        return replace(state, tally=replace(state.tally, heap_bytes=heap, index_bytes=index))
