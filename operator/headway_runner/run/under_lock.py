"""What a run that no look went before makes sure of under the lock, before its first revision.

Rule: until then nothing of the run is written. So it gives up on whatever only a look can settle, and ends at once
when it is asked to stop.
"""

import os
import sys
import threading

from alembic.runtime.migration import MigrationContext

from headway_contract.events import Notice
from headway_contract.result import Failure, PendingRevision
from headway_runner.connections.dbapi import void
from headway_runner.connections.identity import Identity
from headway_runner.processes.child import Link
from headway_runner.processes.task import Inspection, Task
from headway_runner.project.alembic_env import Step, revision_of
from headway_runner.run.way_back import way_back
from headway_runner.statements.index_catalog import building, left, told_left
from headway_runner.statements.invalid_indexes import invalid_indexes
from headway_runner.statements.transactions import notice_local_settings
from headway_runner.words.failures import RunFailed

FOR_ONE_TRANSACTION = "env.py sets something for one transaction only, which the plan did not tell."
ANOTHER_CONTEXT = (
    "env.py configures more migration contexts than when it was planned; the first of them is migrated."
)


class LookUnderLock:
    """Does nothing in a run that a look went before."""

    def __init__(self, link: Link, task: Task) -> None:
        self._link = link
        self._task = task
        self._local_settings: list[str] = []
        self._may_end = task.looks_itself
        self._ending = threading.Lock()
        self.before: Inspection | None = None
        """What was seen, once the first revision may begin."""

    def install(self) -> None:
        """Listen to all engines of this process, and for the wish to stop."""
        if self._task.looks_itself:
            self._local_settings = notice_local_settings()
            self._link.pass_orders_on(self._end_at_once)

    def _end_at_once(self, order: bytes) -> None:
        """In the thread that takes orders; the process ends, or its main thread is past the point and knows."""
        with self._ending:
            if self._may_end:
                void(sys.stdout.flush())
                os._exit(1)

    def come_to_the_lock(self) -> None:
        """From here on a wish to stop is heeded at the next safe point."""
        with self._ending:
            self._may_end = False

    def waits_for_the_lock(self) -> bool:
        """Whoever holds it is changing what was planned upon: that is for a look to see first."""
        return not self._task.looks_itself

    def see(
        self, context: MigrationContext, heads: tuple[str, ...], steps: list[Step], identity: Identity | None
    ) -> None:
        """These steps agree with the plan and are about to run; raises :class:`RunFailed` when they may not yet."""
        if not self._task.looks_itself or not steps:
            return
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
        for notice in (*told_left(left(indexes)), *building(indexes)):
            self._link.emit(Notice(self._task.database.name, notice))
        self._link.tell_before(self.before)
        way = way_back(context, heads, steps) if self._task.tells_way_back else None
        if way is not None:
            self._link.entrust(way)
