"""The run pass: under the lock, each revision reported before and after, stopped between revisions when asked."""

import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from headway_contract.events import (
    Blocked,
    LockAcquired,
    LockAwaited,
    Notice,
    Planned,
    RevisionApplied,
    RevisionStarted,
)
from headway_contract.request import WhenAhead
from headway_contract.result import Failure, PendingRevision
from headway_runner.connections.dbapi import canceller_of
from headway_runner.connections.sessions import Sessions
from headway_runner.locks.lock import Lock, held, lock_of, sees_only_the_past
from headway_runner.processes.child import Link
from headway_runner.processes.task import Application, Place, Task, VersionTable
from headway_runner.project import history
from headway_runner.project.alembic_env import (
    Step,
    commits_each_revision,
    destination_of,
    file_of,
    is_in_outer_transaction,
    make_version_table,
    revision_of,
    set_aside,
    version_table_of,
)
from headway_runner.project.marks import parted
from headway_runner.project.own_target import hold_to_the_look, hold_to_upgrades
from headway_runner.project.version_tables import version_table
from headway_runner.run.agreement import hold_to
from headway_runner.run.library import ATTRIBUTE, LibraryLink, SafeStop
from headway_runner.run.open_transactions import heads_now, heal, let_go
from headway_runner.run.participant import ContextGuard, pass_through
from headway_runner.run.pauses import Pauses
from headway_runner.run.permissions import Permissions
from headway_runner.run.under_lock import LookUnderLock
from headway_runner.run.unfinished import Unfinished
from headway_runner.statements.invalid_indexes import ConcurrentBuilds
from headway_runner.statements.loop_watch import LoopWatch
from headway_runner.statements.patience import Patience
from headway_runner.statements.transactions import TransactionWatch
from headway_runner.statements.waits import Waits, interval_for
from headway_runner.words.failures import print_error
from headway_runner.words.reports import say
from headway_runner.words.run_failed import RunFailed
from headway_runner.words.titles import named


class Applier(ContextGuard):
    """Runs the steps of each context of the requested database."""

    applies = True

    def __init__(self, link: Link, task: Task) -> None:
        super().__init__(link, task, Sessions(task.request, False, task.database.name))
        self.watch = TransactionWatch(lambda kept: link.keep(self.unfinished.revision, kept))
        self.waits = Waits(
            interval_for(task.request.lock_timeout_seconds),
            task.request.lock_timeout_seconds + 1,
            task.request.heartbeat_seconds,
            lambda seconds, sentence: link.emit(Blocked(task.database.name, round(seconds, 1), sentence)),
        )
        self.unfinished = Unfinished(self.watch, self.waits.explanation)
        self.builds = ConcurrentBuilds(self._tell)
        self.patience = Patience(
            task.request.lock_timeout_seconds, lambda: self.watch.inside, self.builds.prepare
        )
        self.library = LibraryLink(link, task.database.name, task.request.backfill)
        self.pauses = Pauses(link, task.database.name)
        self.permissions = Permissions(link, task.request, task.database.name)
        self.loops = LoopWatch(
            task.database.name, lambda: self.watch.inside and not self.library.is_working, link.emit
        )
        self.look = LookUnderLock(link, task)
        self.contexts_run = 0
        self.contexts_completed = 0
        self.current: list[str] = []
        self.applied: list[str] = []
        self.heads: list[str] = []
        """Where the database is, as the run itself sees it in the end."""
        self.post_deploy: list[PendingRevision] = []
        """What it leaves for behind the gate."""
        self.tables: dict[tuple[str, str], VersionTable] = {}
        self.outer_transaction = False
        self.stopped = False
        self.place_of_stop = ""
        self._context: MigrationContext | None = None
        self._name = task.database.name
        self._told_waiting = 0.0

    def install(self) -> None:
        """Listen to all engines of this process."""
        self._sessions.install()
        self.watch.install()
        self.patience.install()
        self.waits.install()
        self.loops.install()
        self.look.install()
        self._link.cancel_while(lambda: bool(self.unfinished.revision))

    @property
    def ran(self) -> bool:
        """Whether a context was to run."""
        return bool(self.contexts_run)

    def report(self, error: BaseException | None) -> Application:
        """What was done; ``error`` is what env.py raised."""
        failure = None if error is None or is_safe_stop(error) else self.unfinished.failure(error)
        if error is not None:
            self._print(error, failure)
        left = self.unfinished.all()
        first = left[0] if left else None
        return Application(
            before=self.look.before,
            current=tuple(dict.fromkeys(self.current)),
            applied=tuple(dict.fromkeys(self.applied)),
            heads=tuple(dict.fromkeys(self.heads)),
            unfinished=first.revision if first else "",
            kept=tuple(statement for one in left for statement in one.kept),
            post_deploy=tuple(dict.fromkeys(self.post_deploy)),
            contexts=self.contexts_run,
            outer_transaction=self.outer_transaction,
            stopped=self.stopped,
            place_of_stop=self.place_of_stop,
            backfills=tuple(self.library.records),
            indexes=tuple(dict.fromkeys(self.builds.indexes)),
            completed=self.contexts_completed,
            ended=self.endings.ended,
            not_ended=self.endings.not_ended,
            tables=tuple(self.tables.values()),
            failure=failure,
            seen=first.failure if first else None,
        )

    def _print(self, error: BaseException, failure: Failure | None) -> None:
        """In full, unless a look is made for it that will come to the same end."""
        if failure is not None and self._task.looks_itself and self.look.before is None:
            say(f"it cannot go on without a look at the database first: {failure.message}")
        else:
            print_error(error)

    def _tell(self, message: str, warning: bool = False) -> None:
        self._link.emit(Notice(self._name, message, warning))

    def enter(self, connection: Connection, options: dict[str, Any]) -> bool:
        """As always, and remember how to cancel what the connection does."""
        wanted = super().enter(connection, options)
        if wanted:
            self._link.cancel_by(canceller_of(connection))
        return wanted

    def equip(self, attributes: MutableMapping[Any, Any]) -> None:
        """What the operations library tells goes to the parent, what is wished goes to the library."""
        attributes[ATTRIBUTE] = self.library

    def pass_context(self, context: MigrationContext, migrate: Callable[[], None]) -> None:
        """Migrate under the lock."""
        self.contexts_run += bool(destination_of(context))
        self.look.come_to_the_lock()
        self.patience.version_table = version_table_of(context)
        lock = lock_of(context)
        give_up = self._task.request.lock_give_up_seconds
        with held(lock, give_up, lambda seconds: self._wait_on(lock, seconds)) as is_held:
            if is_held:
                self._see_what_others_did(context)
                self._link.emit(LockAcquired(self._name))
                self.unfinished.go_elsewhere()
                self._context, self.unfinished.place = context, self._begin(context).shown
                self.outer_transaction = self.outer_transaction or is_in_outer_transaction(context)
                self._migrate(migrate)
            else:
                self._begin(context)
                self.stopped = self._link.stop_requested

    def _begin(self, context: MigrationContext) -> Place:
        place = self.come_to(context)
        if destination_of(context):
            self.endings.begin(place)
        return place

    def why(self, error: BaseException) -> Failure | None:
        """With the revision that raised it, if one did."""
        return None if is_safe_stop(error) else self.unfinished.why(error)

    def _migrate(self, migrate: Callable[[], None]) -> None:
        """What is raised is env.py's to handle, by another try perhaps."""
        try:
            migrate()
        except BaseException:
            self.look.failed()
            raise

    def _see_what_others_did(self, context: MigrationContext) -> None:
        """A transaction of env.py with a snapshot from before the waiting would apply everything once more."""
        if self._told_waiting and context.connection is not None and sees_only_the_past(context.connection):
            raise RunFailed(
                Failure(
                    "LockTimeout", "env.py's transaction is older than what another run has done meanwhile."
                )
            )

    def _wait_on(self, lock: Lock | None, seconds: float) -> bool:
        """Tell that the lock is awaited, first at once; False when asked to stop, or when others must look first."""
        if not self.look.waits_for_the_lock():
            return False
        if not self._told_waiting or seconds - self._told_waiting >= self._task.request.heartbeat_seconds:
            self._told_waiting = max(seconds, 0.001)
            holder = "" if lock is None else lock.holder()
            self._link.emit(LockAwaited(self._name, round(seconds, 1), holder))
        return not self._link.stop_requested

    def steps(
        self,
        context: MigrationContext,
        script: ScriptDirectory,
        heads: tuple[str, ...],
        compute: Callable[[tuple[str, ...]], list[Step]],
    ) -> Iterator[Step]:
        """The steps as Alembic orders them, one at a time."""
        self.unfinished.is_loading = True
        history.load(script)
        if not self._task.request.command:
            hold_to(self._task.database.planned, self._task.target, script, heads, compute)
        todo = [] if self._is_accepted_ahead(script, heads) else compute(heads)
        todo, left = parted(todo, self._task.request.part)
        self.post_deploy.extend(history.pending(step, waits=True) for step in left)
        self.unfinished.is_loading = False
        if not destination_of(context):
            self.contexts_run += bool(todo)
        if self._task.request.command:
            hold_to_upgrades(destination_of(context), todo)
            hold_to_the_look(self._task.expected, todo)
        ids = tuple(map(revision_of, todo))
        self.current.extend(heads)
        self._link.emit(Planned(self._name, heads, ids, len(ids), under_lock=True))
        self.look.see(context, heads, todo, self.identity, self.unfinished.place)
        self.stopped = self.stopped or not self._may_share(context, todo)
        if todo and not heads and not self.stopped:
            make_version_table(context)
        ended: tuple[RevisionApplied, ...] = ()
        for index, step in enumerate(todo, 1):
            revision, title = revision_of(step), str(step.doc or "")
            if ended and (self.pauses.is_wished or self.permissions.must_ask(revision)):
                self._link.emit(*ended)
                ended = ()
            if self.stopped or not self._may_begin(context, revision, title):
                self.stopped = True
                break
            self.unfinished.begin(revision, title, file_of(step))
            # One write for the end of a revision and the start of the next.
            self._link.emit(*ended, RevisionStarted(self._name, revision, title, index, len(todo)))
            start = time.monotonic()
            set_aside(step, self._call)
            yield step
            ended = (self._ended(context, revision, time.monotonic() - start, index, len(todo)),)
        self._link.emit(*ended)
        if not self.stopped:
            if destination_of(context) or todo:
                self.contexts_completed += 1
                self.endings.end(self.place or self.come_to(context))
            heads = heads_now(context)
            self.heads.extend(heads)
            if self._task.request.command:
                table = version_table(context, heads)
                self.tables[table.schema, table.name] = table

    def _may_share(self, context: MigrationContext, todo: list[Step]) -> bool:
        """Revisions of one transaction are asked for before it does anything; False when the run is to stop."""
        if commits_each_revision(context):
            return True
        return self.permissions.may_all_go((revision_of(step), str(step.doc or "")) for step in todo)

    def _may_begin(self, context: MigrationContext, revision: str, title: str) -> bool:
        """Let go by whoever is asked, and not paused; what is open and may be ended is ended before any wait."""
        if self.permissions.must_ask(revision):
            let_go(context)
        if not self.permissions.may_go(revision, title):
            return False
        return self.pauses.may_go_on(revision, lambda: let_go(context))

    def _is_accepted_ahead(self, script: ScriptDirectory, heads: tuple[str, ...]) -> bool:
        """One of several contexts is past the image: the others go on."""
        accepts = self._task.request.when_ahead is WhenAhead.ACCEPT
        return accepts and not all(history.knows(script, head) for head in heads)

    def _ended(
        self, context: MigrationContext, revision: str, seconds: float, index: int, total: int
    ) -> RevisionApplied:
        """Alembic has run, stamped and, with a transaction per revision, committed it."""
        healed = heal(context)
        if self.watch.undone:
            self._tell(
                f"Revision {named(revision, self.unfinished.title)} rolled back on a connection of its own: "
                f"{'; '.join(self.watch.undone)}. It counts as applied; look whether it should.",
                warning=True,
            )
        committed = commits_each_revision(context)
        self.watch.end(shares=not committed)
        self.library.clear()
        self.loops.clear()
        self.unfinished.end()
        self.applied.append(revision)
        return RevisionApplied(self._name, revision, int(seconds * 1000), committed, healed, index, total)

    def _call(self, upgrade: Callable[..., None], arguments: dict[str, Any]) -> None:
        """Call the revision's own function; what it raises is kept, because env.py may hide it."""
        self.watch.begin(None if self._context is None else self._context.connection)
        try:
            upgrade(**arguments)
        except SafeStop as stop:
            self.unfinished.error, self.stopped = stop, True
            self.place_of_stop = self.unfinished.with_what_stays(str(stop))
            raise
        except BaseException as error:
            told = self.unfinished.raised(error, self._context)
            if told is not error:
                raise told from error
            raise
        finally:
            self.watch.inside = False


def is_safe_stop(error: BaseException) -> bool:
    """Whether this is the stop of an operation, or what env.py has made of it."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, SafeStop):
        seen = seen.__cause__ or seen.__context__
    return seen is not None


def apply(link: Link, task: Task) -> Application:
    """A phase for a process of its own: run env.py to the target."""
    applier = Applier(link, task)
    applier.install()
    error = pass_through(link, task, applier)
    applier.waits.close()
    return applier.report(error)
