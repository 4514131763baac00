"""What a run that no look went before makes sure of under the lock, before its first revision.

Rule: until then nothing of the run is written. So it gives up on whatever only a look can settle, and ends at once
when it is asked to stop. A context that comes again after it has failed is the same one: env.py tries again itself.
"""

from alembic.runtime.migration import MigrationContext

from headway_contract.events import Notice
from headway_contract.result import Failure, PendingRevision
from headway_runner.connections.identity import Identity
from headway_runner.connections.probe import identity_of
from headway_runner.processes.child import Link
from headway_runner.processes.task import Inspection, Task
from headway_runner.project.alembic_env import Step, revision_of
from headway_runner.run.way_back import way_back
from headway_runner.statements.index_catalog import building, left, told_left
from headway_runner.statements.invalid_indexes import invalid_indexes
from headway_runner.statements.transactions import notice_local_settings
from headway_runner.words.run_failed import RunFailed

FOR_ONE_TRANSACTION = "env.py sets something for one transaction only, which the plan did not tell."
ANOTHER_CONTEXT = (
    "env.py configures more migration contexts than when it was planned; the first of them is migrated."
)


class LookUnderLock:
    """After a look it only tells where libpq alone can look again."""

    def __init__(self, link: Link, task: Task) -> None:
        self._link = link
        self._task = task
        self._local_settings: list[str] = []
        self.before: Inspection | None = None
        """What was seen, once the first revision may begin."""
        self._place: tuple[object, ...] = ()
        """Of the context that was seen: its database and version table."""
        self._has_failed = False
        """It has ended in an exception."""

    def install(self) -> None:
        """Listen to all engines of this process, and end with a wish to stop that comes before the lock."""
        if self._task.looks_itself:
            self._local_settings = notice_local_settings()
            self._link.nothing_has_begun()

    def come_to_the_lock(self) -> None:
        """From here on a wish to stop is heeded at the next safe point."""
        self._link.something_begins()

    def waits_for_the_lock(self) -> bool:
        """Whoever holds it is changing what was planned upon: that is for a look to see first."""
        return not self._task.looks_itself or self._has_failed

    def failed(self) -> None:
        """The context that ran has ended in an exception, which env.py may hide."""
        self._has_failed = True

    def see(
        self,
        context: MigrationContext,
        heads: tuple[str, ...],
        steps: list[Step],
        identity: Identity | None,
        place: str,
    ) -> None:
        """These steps agree with the plan and are about to run; raises :class:`RunFailed` when they may not yet.

        ``place``: as ``contexts.place_of`` tells it.
        """
        if not steps:
            return
        if self._task.looks_itself:
            if identity is None and context.connection is not None:
                identity = identity_of(context.connection)
            table = (identity, context.version_table_schema, context.version_table, place)
            if not (self._has_failed and table == self._place):
                self._see(context, heads, steps, identity)
            self._place, self._has_failed = table, False
        way = way_back(context, heads, steps) if self._task.tells_way_back else None
        if way is not None:
            self._link.entrust(way)

    def _see(
        self, context: MigrationContext, heads: tuple[str, ...], steps: list[Step], identity: Identity | None
    ) -> None:
        if self.before is not None:
            raise RunFailed(Failure("PlanChanged", ANOTHER_CONTEXT))
        if self._local_settings and not self._task.one_transaction:
            raise RunFailed(Failure("ProjectFailed", FOR_ONE_TRANSACTION))
        indexes = () if context.connection is None else invalid_indexes(context.connection)
        self.before = Inspection(
            identity=identity,
            current=heads,
            starts=(heads,),
            pending=tuple(PendingRevision(revision_of(step), str(step.doc or "")) for step in steps),
            invalid_indexes=left(indexes),
            contexts=1,
        )
        name = self._task.database.name
        for notice in told_left(left(indexes)):
            self._link.emit(Notice(name, notice, warning=True))
        for notice in building(indexes):
            self._link.emit(Notice(name, notice))
        self._link.tell_before(self.before)
