"""One backfill from the claim to the record: gather what is known, choose the way, drive, write the end
down.
"""

import uuid
from dataclasses import dataclass, field, replace

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills import batches, postgres_catalog, record
from headway.backfills.batches import Plan, State, fraction
from headway.backfills.checkpoint import NAME, Checkpoint
from headway.backfills.choice import Choice, Refused, choose
from headway.backfills.claim import Claim, Claiming
from headway.backfills.clauses import Clauses
from headway.backfills.driver import Driver, Means
from headway.backfills.key_texts import PostgresTexts
from headway.backfills.keyset import Keyset
from headway.backfills.known import Asked, Known
from headway.backfills.names import digest_of
from headway.backfills.queries import run
from headway.backfills.reports import Reports
from headway.backfills.servers import Postgres, Server
from headway.backfills.session import Session, SessionBeside
from headway.backfills.striped import Striped
from headway.backfills.sweeps import Sweep
from headway.facts import BackfillFinished, BackfillStarted, Noticed, tell
from headway.pace import Pace
from headway.place import Beside, Place
from headway.throttle.limits import Limits
from headway.throttle.own import OwnWork
from headway.throttle.signals.query import Query
from headway.throttle.verdict import Throttle
from headway.throttle.watch import watch
from headway.wishes import parse

BLOCK_BYTES = 8192
ANALYZE_LOCK_MS = 2000
PING_SECONDS = 30.0


class NotPossible(Exception):
    """There is no safe way through the table; the text says why, and what would open one."""


@dataclass
class Run:
    """One call of :func:`headway.backfill`."""

    place: Place
    beside: Beside
    asked: Asked
    operation: str
    pace: Pace | None
    signals: tuple[Query, ...]
    means: Means = field(default=Means())
    own: OwnWork = field(default_factory=OwnWork)

    def run(self) -> BackfillFinished:
        """Raises what :func:`headway.backfill` says."""
        server = Postgres(self.beside.settings)
        session = SessionBeside(self.beside, server, self.own)
        try:
            return self._in(server, session)
        finally:
            session.close()

    def _in(self, server: Server, session: Session) -> BackfillFinished:
        known = session.do(lambda connection: postgres_catalog.read(connection, self.asked))
        checkpoint = Checkpoint(
            self.operation, uuid.uuid4().hex[:12], self.place.context.version_table_schema
        )
        claiming = Claiming(
            server, session, checkpoint, self._digest(), known,
            lambda: self._chosen(session, known),
        )  # fmt: skip
        claim = claiming.claim()
        return _Claimed(self, server, session, known, checkpoint, claim).run()

    def _digest(self) -> str:
        asked = self.asked
        return digest_of(
            asked.assignments, asked.where, asked.strategy, asked.key, asked.exactly_once, asked.synced
        )

    def _chosen(self, session: Session, known: Known) -> Choice:
        known = session.do(
            lambda connection: postgres_catalog.with_expressions(connection, self.asked, known)
        )
        decision = choose(self.asked, known)
        if isinstance(decision, Refused):
            raise NotPossible(decision.sentence)
        return decision


@dataclass
class _Claimed:
    """A run that may work."""

    whole: Run
    server: Server
    session: Session
    known: Known
    checkpoint: Checkpoint
    claim: Claim

    def run(self) -> BackfillFinished:
        """Until the record is written."""
        if self.claim.is_finished and self.claim.choice.is_once:
            return self._was_complete()
        throttle = self._watch()
        try:
            driver = self._driver(throttle)
            state = driver.run()
            if state.parked:
                raise driver.incomplete("Rows could not be updated")
            return self._finish(driver, driver.with_time(state))
        finally:
            throttle.close()

    def _watch(self) -> Throttle:
        place, pace = self.whole.place, self.whole.pace
        assert place.context.connection is not None
        return watch(
            place.context.connection.engine,
            self.known.table,
            lambda: parse(place.link.wishes()),
            self.whole.own,
            schema=self.known.schema,
            queries=self.whole.signals,
            search_path=dict(self.whole.beside.settings).get("search_path", ""),
            limits=Limits(blocked_ms=pace.target_ms) if pace else Limits(),
            notice=lambda text: tell(place.link, Noticed(f"Backfill of {self.known.table}: {text}.")),
        )

    def _was_complete(self) -> BackfillFinished:
        """Each row once, and that was done: nothing may happen again."""
        message = (
            f"The backfill {self.whole.operation} was complete already, and each row is updated only once. If its "
            f"updates were undone since, delete its row of the table {NAME} and run the revision again."
        )
        tell(self.whole.place.link, Noticed(message))
        return record.finished(self.whole.operation, self.known.table, self.claim.state, (-1, -1))

    def _clauses(self) -> Clauses:
        return Clauses(self.whole.asked, self.known, self.claim.choice.guard, self.whole.place.name)

    def _driver(self, throttle: Throttle) -> Driver:
        choice, clauses = self.claim.choice, self._clauses()
        is_striped = choice.strategy == "striped"
        sweep: Sweep = Striped(clauses) if is_striped else Keyset(clauses, PostgresTexts(self.known.key))
        plan = Plan(
            self.known.leaves,
            is_striped,
            choice.stripes,
            choice.must_clear,
            bool(choice.guard) and not choice.is_once,
        )
        state = batches.resumed(self._with_sizes(self.claim.state), plan, self.claim.is_finished)
        rows = sum(leaf.rows for leaf in self.known.leaves)
        link, clock = self.whole.place.link, self.whole.means.clock
        started = BackfillStarted(
            operation=self.whole.operation,
            table=self.known.table,
            columns=", ".join(self.whole.asked.columns),
            strategy=choice.strategy,
            reason=choice.reason,
            rows_done=state.tally.rows,
            rows_total=rows,
        )
        reports = Reports(link, clock, started, state.tally, fraction(state, plan))
        if self.claim.notice:
            tell(link, Noticed(f"Backfill of {self.known.table}: {self.claim.notice}."))
        return Driver(
            plan=plan,
            sweep=sweep,
            server=self.server,
            session=self.session,
            checkpoint=self.checkpoint,
            fence=self.claim.fence,
            state=state,
            link=link,
            throttle=throttle,
            reports=reports,
            row_bytes=BLOCK_BYTES / self.known.density,
            pace=self.whole.pace,
            batch_rows=self.whole.asked.batch_rows,
            committed=self.whole.own.committed,
            means=self.whole.means,
        )

    def _with_sizes(self, state: State) -> State:
        if state.tally.heap_bytes >= 0:
            return state
        heap, index = self.session.do(self._sizes)
        return replace(state, tally=replace(state.tally, heap_bytes=heap, index_bytes=index))

    def _sizes(self, connection: Connection) -> "tuple[int, int]":
        with self.server.transaction(connection):
            return record.sizes(connection, self.known)

    def _finish(self, driver: Driver, state: State) -> BackfillFinished:
        if self.whole.asked.analyze:
            self._analyze()
        sizes = self.session.do(self._sizes)

        def write(connection: Connection) -> None:
            with self.server.transaction(connection):
                self.checkpoint.finish(connection, driver.fence, state)

        self.session.do(write)
        fact = record.finished(self.whole.operation, self.known.table, state, sizes)
        self._tell_remainder(state)
        tell(self.whole.place.link, fact)
        return fact

    def _tell_remainder(self, state: State) -> None:
        if not state.remaining:
            return
        why = "writers go on to leave such rows: deploy code, or have a trigger, that fills them"
        if not state.arriving:
            why = "for these the expression gives a value that the condition still chooses, such as NULL"
        tell(
            self.whole.place.link,
            Noticed(
                f"{state.remaining} rows of {self.known.table} still meet the condition of the backfill: {why}."
            ),
        )

    def _analyze(self) -> None:
        name = self.whole.place.name(self.known.schema, self.known.table)

        def analyze(connection: Connection) -> None:
            with self.server.transaction(connection):
                run(connection, f"SET LOCAL lock_timeout = {ANALYZE_LOCK_MS}")
                run(connection, f"ANALYZE {name}")

        try:
            self.session.do(analyze)
        except DBAPIError:
            message = (
                f"ANALYZE of {self.known.table} could not be run after its backfill; autovacuum will do it."
            )
            tell(self.whole.place.link, Noticed(message))
