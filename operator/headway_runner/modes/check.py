"""Mode Check: what differs between each database and the models of the project; nothing is changed.

Through env.py like every pass, so its ``include_object``, ``compare_type`` and schemas count. What it finds is
information: a difference is no failure.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from headway_contract.drift import DatabaseDrift, Difference, Drift
from headway_contract.records import dataclass
from headway_contract.request import DatabaseRequest, RunRequest
from headway_contract.result import Failure, Outcome, RunResult
from headway_contract.wire import sha256_of, split_document
from headway_runner.connections.sessions import Sessions
from headway_runner.looks.differences import differences_of
from headway_runner.modes.passes import with_url
from headway_runner.modes.plan import failure_of_death, first_task, needs_async_driver
from headway_runner.processes.child import Link
from headway_runner.processes.supervisor import Died, Supervisor
from headway_runner.processes.task import Task
from headway_runner.project import history
from headway_runner.project.alembic_env import Step
from headway_runner.project.hints import with_hint
from headway_runner.project.targets import few
from headway_runner.run.participant import ContextGuard, pass_through
from headway_runner.words.failures import failure_of, print_error
from headway_runner.words.run_failed import RunFailed
from headway_runner.words.secrecy import masked

NO_MODELS = "env.py gives no target_metadata, so there are no models to compare with."


@dataclass(frozen=True)
class Compared:
    """What one pass found."""

    differences: tuple[Difference, ...] = ()
    not_compared: str = ""
    failure: Failure | None = None


class Comparer(ContextGuard):
    """Compares each context of the requested database with its models."""

    def __init__(self, link: Link, task: Task) -> None:
        super().__init__(link, task, Sessions(task.request, task.read_only, task.database.name))
        self.found: list[Compared] = []

    def install(self) -> None:
        """Listen to all engines of this process."""
        self._sessions.install()

    @property
    def ran(self) -> bool:
        """Whether a context was compared."""
        return bool(self.found)

    def steps(
        self,
        context: MigrationContext,
        script: ScriptDirectory,
        heads: tuple[str, ...],
        compute: Callable[[tuple[str, ...]], list[Step]],
    ) -> Iterator[Step]:
        """Compare instead of yielding."""
        history.load(script)
        self.found.append(_compared(context, script, heads, compute))
        return iter(())

    def report(self, error: BaseException | None) -> Compared:
        """All contexts in one; ``error`` is what env.py raised."""
        if error is not None:
            print_error(error)
            return Compared(failure=with_hint(failure_of(error), error, self._task))
        differences = dict.fromkeys(one for part in self.found for one in part.differences)
        reasons = dict.fromkeys(part.not_compared for part in self.found if part.not_compared)
        return Compared(tuple(differences), " ".join(reasons))


def _compared(
    context: MigrationContext,
    script: ScriptDirectory,
    heads: tuple[str, ...],
    compute: Callable[[tuple[str, ...]], list[Step]],
) -> Compared:
    models = context.opts.get("target_metadata")
    if not models:
        return Compared(not_compared=NO_MODELS)
    unknown = [head for head in heads if not history.knows(script, head)]
    if unknown:
        return Compared(
            not_compared=f"The database is at {few(unknown)}, which this project does not contain."
        )
    pending = len(compute(heads))
    if pending:
        lacks = "a revision is" if pending == 1 else f"{pending} revisions are"
        return Compared(not_compared=f"It is compared once it is at its target: {lacks} pending.")
    return Compared(differences_of(compare_metadata(context, models)))


def compare(link: Link, task: Task) -> Compared:
    """A phase for a process of its own: through env.py. Its time, if it has a limit, counts from here."""
    link.tell_before(None)
    try:
        task = with_url(task)
    except RunFailed as failed:
        return Compared(failure=failed.failure)
    comparer = Comparer(link, task)
    comparer.install()
    return comparer.report(pass_through(link, task, comparer))


def check_databases(supervisor: Supervisor, request: RunRequest) -> RunResult:
    """Compare every database, also after one has failed."""
    found = []
    for database in request.databases:
        found.append(masked(check_database(supervisor, request, database)))
        if supervisor.stopping is not None:
            return RunResult(Outcome.STOPPED, request.run)
    document = Drift(tuple(found)).to_json()
    supervisor.emit(*split_document(document))
    failed = next((one for one in found if one.failure is not None), None)
    return RunResult(
        Outcome.SUCCEEDED if failed is None else Outcome.FAILED,
        request.run,
        database="" if failed is None else failed.name,
        failure=None if failed is None else failed.failure,
        plan_sha256=sha256_of(document),
    )


def check_database(
    supervisor: Supervisor, request: RunRequest, database: DatabaseRequest, ends_at: float = math.inf
) -> DatabaseDrift:
    """Compare one; ended ``ends_at`` of the monotonic clock, which is then its failure."""
    task = first_task(request, database)
    found = _once(supervisor, task, ends_at)
    if found.failure is not None and needs_async_driver(found.failure):
        found = _once(supervisor, replace(task, asynchronous=True), ends_at)
    return DatabaseDrift(database.name, found.differences, found.not_compared, found.failure)


def _once(supervisor: Supervisor, task: Task, ends_at: float) -> Compared:
    left = max(ends_at - time.monotonic(), 0.0)
    found = supervisor.run(compare, task, killable=True, seconds_after_look=left)
    return Compared(failure=failure_of_death(found)) if isinstance(found, Died) else found
