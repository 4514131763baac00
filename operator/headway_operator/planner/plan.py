"""The page that tells a run: from a snapshot to what is to be done now and what is to be said.

Total and deterministic: any snapshot has a decision, and the same one always has the same.
"""

from dataclasses import replace
from datetime import timedelta

from headway_operator.api.migration import Database
from headway_operator.api.status import DatabasePhase, DatabaseStatus, PlanStatus, Status
from headway_operator.planner.abort import ABORTING, abort_of, with_abort
from headway_operator.planner.actions import (
    Action,
    AddFinalizer,
    Decision,
    DeleteJob,
    RemoveFinalizer,
    StartJob,
    StopJob,
)
from headway_operator.planner.approval import with_approval
from headway_operator.planner.bounds import bounded
from headway_operator.planner.conclude import conclude, refuse
from headway_operator.planner.consent import Desk
from headway_operator.planner.explain import attempt_text, begun_text, moment, stamp
from headway_operator.planner.follow import Standing, follow
from headway_operator.planner.gates import Blocked, first_block, first_block_after_plan
from headway_operator.planner.hooks import (
    NOBODY_ASKS,
    ask,
    desk_of,
    post,
    throttles_of,
    with_holds,
    with_refusals,
)
from headway_operator.planner.lifecycle import Fact, moved
from headway_operator.planner.refused_starts import LOOK_AGAIN, not_refused, refused_among
from headway_operator.planner.retries import PATIENCE, waits_since
from headway_operator.planner.rollouts import AT_ONCE, next_look, waited_for
from headway_operator.planner.run import CurrentRun, current_run
from headway_operator.planner.snapshot import JobView, Snapshot, Stage
from headway_operator.planner.steer import steers, wished
from headway_operator.planner.strays import databases_with_strays

SAFETY = timedelta(seconds=60)
"""The longest time without a look while a Job is active: a watch may have gone silent."""


def plan(snapshot: Snapshot) -> Decision:
    """What to do about this resource now."""
    migration = snapshot.migration
    if migration.deleting:
        return _leave(snapshot)
    blocked = first_block(migration)
    if migration.spec is None:
        assert blocked is not None
        actions = _stops(snapshot.jobs, blocked.message) + _finalizer(snapshot, ())
        return Decision(actions, refuse(snapshot, blocked), _wake_for_jobs(snapshot.jobs))
    run = current_run(snapshot, migration.spec)
    desk = desk_of(snapshot, run)
    abort = abort_of(snapshot, run)
    held = blocked is not None or bool(abort)
    standing = with_approval(snapshot, run, follow(snapshot, run, held))
    standing = with_abort(snapshot, run, standing, abort)
    standing = with_refusals(snapshot, run, standing, desk)
    blocked = _what_holds(run, standing, ABORTING if abort and not standing.is_over else blocked)
    return _decide(snapshot, run, standing, desk, blocked)


def _what_holds(run: CurrentRun, standing: Standing, blocked: Blocked | None) -> Blocked | None:
    """What is asked before the run begins comes first, then what is asked of its plan; nothing holds what is over."""
    if blocked is None:
        return first_block_after_plan(run, standing)
    return None if standing.is_over else blocked


def _decide(
    snapshot: Snapshot, run: CurrentRun, standing: Standing, desk: Desk, blocked: Blocked | None
) -> Decision:
    superseding = not standing.is_over and any(job.is_active for job in run.other_jobs)
    consents = NOBODY_ASKS
    if not blocked and not superseding:
        consents = ask(snapshot, run, standing, desk, _starts(snapshot, run, standing))
    stops = _stops(run.other_jobs, "the specification has changed")
    for job, sentence in consents.refused:
        stops += _stops((job,), sentence)
    if blocked is not None:
        stops += _holds(run.jobs) if blocked.hold else _stops(run.jobs, blocked.message)
    if blocked is None or blocked.hold:
        throttles = throttles_of(snapshot, desk, standing)
        stops += steers(run.jobs, wished(snapshot.migration, blocked), consents.may_go, throttles)
    starts = not_refused(snapshot, consents.passage.starts)
    standing = with_holds(standing, consents.held)
    standing = replace(standing, refused=refused_among(snapshot, consents.passage.starts))
    rest = None if blocked or superseding or starts else _rest_waits(snapshot, run, standing)
    standing = _with_starts(snapshot, standing, starts, run.spec.retry.attempts)
    found = bounded(conclude(snapshot, run, standing, blocked, superseding))
    letters = post(snapshot, desk, consents.occasions, found)
    # A run that has just begun may have got more to tell from the one before it.
    status = bounded(letters.status)
    actions = (
        *stops,
        *(DeleteJob(job.name) for job in standing.hopeless),
        *(_finalizer(snapshot, starts)),
        *starts,
    )
    wake = _wake(snapshot, run, () if blocked else standing.retry_times, starts)
    again = LOOK_AGAIN if standing.refused else None
    return Decision(
        actions,
        status,
        _soonest(wake, rest, again, *letters.wakes),
        letters.messages,
        letters.questions,
        letters.given_way,
        _sweep(run, status),
    )


def _soonest(*waits: timedelta | None) -> timedelta | None:
    return min((wait for wait in waits if wait is not None), default=None)


def _starts(snapshot: Snapshot, run: CurrentRun, standing: Standing) -> tuple[StartJob, ...]:
    """The Jobs that may start now: a plan first, then databases in the order of the list."""
    if standing.plan_failed:
        return ()
    if standing.plan_is_done:
        return _start_databases(snapshot, run, standing)
    is_free = not any(job.is_active and job.stage is Stage.PLAN for job in run.jobs)
    may_start = is_free and _is_due(snapshot, standing.plan.retry_time)
    return (run.start(Stage.PLAN, "", standing.plan.attempt + 1),) if may_start else ()


def _start_databases(snapshot: Snapshot, run: CurrentRun, standing: Standing) -> tuple[StartJob, ...]:
    """A database between two attempts keeps its place, so that no later one is begun before it."""
    phases = {database.name: database.phase for database in standing.databases}
    ready = _may_start(snapshot, run, standing)
    busy = {job.database for job in run.jobs if job.is_active} | databases_with_strays(snapshot)
    room = run.spec.strategy.max_parallel - sum(
        phase.is_working or name in busy for name, phase in phases.items()
    )
    starts = []
    for wish, database in zip(run.spec.databases, standing.databases, strict=True):
        if room <= 0:
            break
        if database.name in busy or not (_may_go_on(database) or wish in ready):
            continue
        room -= 1
        if database.phase is DatabasePhase.PENDING or _is_due(snapshot, database.retry_time):
            starts.append(run.start(database.stage, database.name, database.attempt + 1, database.planned))
    return tuple(starts)


def _may_go_on(database: DatabaseStatus) -> bool:
    """It has been begun, and is between two attempts."""
    return database.phase is DatabasePhase.WAITING


def _may_start(snapshot: Snapshot, run: CurrentRun, standing: Standing) -> tuple[Database, ...]:
    """The databases whose next part may begin, as far as the gate and those that they depend on have it."""
    is_rolled_out = _gate_is_told(snapshot, standing) and not waited_for(snapshot, run.spec)
    past = {one.name for one in standing.databases if one.is_past_the_gate}
    done = {one.name for one in standing.databases if one.phase is DatabasePhase.SUCCEEDED}
    return tuple(
        wish
        for wish, database in zip(run.spec.databases, standing.databases, strict=True)
        if database.phase is DatabasePhase.PENDING
        and (
            is_rolled_out and done.issuperset(wish.depends_on)
            if database.stage is Stage.POST_DEPLOY
            else past.issuperset(wish.depends_on)
        )
    )


def _gate_is_told(snapshot: Snapshot, standing: Standing) -> bool:
    """Nothing behind the gate begins before the status has said that it is open."""
    migration = snapshot.migration
    return standing.opens_the_gate and migration.status.is_ready(migration.generation)


def _rest_waits(snapshot: Snapshot, run: CurrentRun, standing: Standing) -> timedelta | None:
    """When to look again at what the rest waits for; None: nothing of it waits for a rollout."""
    waits = any(
        one.stage is Stage.POST_DEPLOY and one.phase is DatabasePhase.PENDING for one in standing.databases
    )
    if not waits or not standing.opens_the_gate:
        return None
    if not _gate_is_told(snapshot, standing):
        return AT_ONCE
    if not waited_for(snapshot, run.spec):
        return None
    ready = snapshot.migration.status.condition("Ready")
    return next_look(snapshot, run.spec, moment(ready.last_transition_time) if ready else None)


def _is_due(snapshot: Snapshot, retry_time: str | None) -> bool:
    due = moment(retry_time)
    return due is None or due <= snapshot.now


def _with_starts(
    snapshot: Snapshot, standing: Standing, starts: tuple[StartJob, ...], attempts: int
) -> Standing:
    """The standing as it is once these Jobs run; ``attempts``: how many a database may have."""
    by_database = {start.database: start for start in starts}
    planned = by_database.get("")
    plan_status = standing.plan
    if planned is not None:
        failures = standing.plan.failures
        plan_status = PlanStatus(
            job_name=planned.name,
            attempt=planned.attempt,
            failures=failures,
            message=begun_text(attempt_text(failures, attempts), standing.plan.reason, standing.plan.message),
        )
    databases = tuple(
        _started(snapshot, database, by_database[database.name], attempts)
        if database.name in by_database
        else database
        for database in standing.databases
    )
    return replace(standing, plan=plan_status, databases=databases)


def _started(snapshot: Snapshot, database: DatabaseStatus, start: StartJob, attempts: int) -> DatabaseStatus:
    return replace(
        database,
        phase=moved(database.phase, Fact.JOB_ACTIVE),
        job_name=start.name,
        attempt=start.attempt,
        reason="",
        message=begun_text(attempt_text(database.failures, attempts), database.reason, database.message),
        retry_time=None,
        start_time=database.start_time or stamp(snapshot.now),
    )


def _stops(jobs: tuple[JobView, ...], reason: str) -> tuple[Action, ...]:
    """Tell active Jobs to stop at a safe point; one whose pod has not started is removed at once."""
    stops: list[Action] = []
    for job in jobs:
        if not job.is_active or job.deleting:
            continue
        if job.pod is None or not job.has_started:
            stops.append(DeleteJob(job.name))
        elif not job.pod.control.stop:
            stops.append(StopJob(job.name, job.pod.name, job.pod.control.sequence + 1, reason))
    return tuple(stops)


def _holds(jobs: tuple[JobView, ...]) -> tuple[Action, ...]:
    """Of a pause: what has not started is removed; what has is told to hold by its own control value."""
    return _stops(tuple(job for job in jobs if job.pod is None or not job.has_started), "")


def _finalizer(snapshot: Snapshot, starts: tuple[StartJob, ...]) -> tuple[Action, ...]:
    """Only while a Job is active. A plan alone does not ask for it: a deletion may cut that off at any time."""
    if snapshot.migration.has_finalizer:
        is_needed = bool(starts) or any(job.is_active for job in snapshot.jobs)
        return () if is_needed else (RemoveFinalizer(),)
    stages = [start.stage for start in starts] + [job.stage for job in snapshot.jobs if job.is_active]
    return (AddFinalizer(),) if any(stage is not Stage.PLAN for stage in stages) else ()


def _sweep(run: CurrentRun, status: Status) -> tuple[DeleteJob, ...]:
    """Jobs of runs that the history has let go. While a run is held, they may be all that tells of the one before."""
    if status.run is None or status.run.id != run.id:
        return ()
    kept = {entry.run for entry in status.history}
    gone = (job for job in run.other_jobs if not job.is_active and not job.deleting and job.run not in kept)
    return tuple(DeleteJob(job.name) for job in gone)


def _leave(snapshot: Snapshot) -> Decision:
    """The resource is being deleted: Jobs stop in order, then it may go. No schema is ever reverted by that."""
    actions = _stops(snapshot.jobs, "the resource is being deleted")
    if not any(job.is_active for job in snapshot.jobs) and snapshot.migration.has_finalizer:
        actions += (RemoveFinalizer(),)
    return Decision(actions, snapshot.migration.status, _wake_for_jobs(snapshot.jobs))


def _wake(
    snapshot: Snapshot, run: CurrentRun, retry_times: tuple[str, ...], starts: tuple[StartJob, ...]
) -> timedelta | None:
    """The first moment at which time alone changes the decision; what is due but held is woken by what holds it."""
    times = [moment(text) for text in retry_times]
    times += [
        since + PATIENCE
        for job in run.jobs
        if job.is_active and not job.has_started and (since := waits_since(job)) is not None
    ]
    waits = [time - snapshot.now for time in times if time is not None and time > snapshot.now]
    if starts or snapshot.strays or any(job.is_active for job in snapshot.jobs):
        waits.append(SAFETY)
    return min(waits, default=None)


def _wake_for_jobs(jobs: tuple[JobView, ...]) -> timedelta | None:
    return SAFETY if any(job.is_active for job in jobs) else None
