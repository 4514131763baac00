"""Where a run stands: what the Jobs and the status say about its plan and about each database.

Jobs win over the status, which only fills in for Jobs that are gone. Doing this twice over the same facts changes
nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from headway_contract.planned import is_relative
from headway_contract.result import DatabasePlan, Outcome, Plan
from headway_operator.api.reasons import Reason, reason_of
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Pending, PlanStatus
from headway_operator.planner.attempts import STOPPED, is_stopped, obstacle_text, works
from headway_operator.planner.backfills import with_backfill, with_records
from headway_operator.planner.explain import attempt_text, explain, outlook, stamp
from headway_operator.planner.follow_plan import follow_plan
from headway_operator.planner.lifecycle import Fact, moved
from headway_operator.planner.retries import failure_of, patience_is_over, retry_time
from headway_operator.planner.run import CurrentRun
from headway_operator.planner.snapshot import JobProgress, JobView, Snapshot, Stage

PENDING_SHOWN = 50
WAS_THERE = "nothing to do: it was there already"


@dataclass(frozen=True)
class Standing:
    """The plan and the databases of a run, and the Jobs that wait in vain for their pods to start."""

    plan: PlanStatus
    databases: tuple[DatabaseStatus, ...]
    hopeless: tuple[JobView, ...] = ()

    @property
    def plan_is_done(self) -> bool:
        """Whether the databases may be touched."""
        return bool(self.plan.completion_time) and not self.plan.reason

    @property
    def plan_failed(self) -> bool:
        """Whether there is no further attempt to plan."""
        return bool(self.plan.reason) and self.plan.retry_time is None

    @property
    def retry_times(self) -> tuple[str, ...]:
        """When the attempts are due that wait."""
        times = (self.plan.retry_time, *(database.retry_time for database in self.databases))
        return tuple(time for time in times if time)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to start or to wait for."""
        all_final = all(database.phase.is_final for database in self.databases)
        return self.plan_failed or (self.plan_is_done and all_final)


def follow(snapshot: Snapshot, run: CurrentRun, held: bool) -> Standing:
    """Where this run stands now. ``held``: nothing may start, and what has not started is removed."""
    plan, found = follow_plan(snapshot, run, held)
    databases = tuple(
        _follow_database(snapshot, run, database.name, found, held) for database in run.spec.databases
    )
    hopeless = tuple(
        job for job in run.jobs if job.is_active and not job.deleting and patience_is_over(job, snapshot.now)
    )
    if not plan.reason:
        databases = _with_skips(run, _with_lost_targets(snapshot, run, plan, databases))
    return Standing(plan, databases, () if held else hopeless)


def _follow_database(
    snapshot: Snapshot, run: CurrentRun, name: str, plan: Plan | None, held: bool
) -> DatabaseStatus:
    memory, job = run.remembered(name), run.latest(Stage.MIGRATE, name)
    if plan is not None:
        memory = _with_plan(snapshot, memory, next((one for one in plan.databases if one.name == name), None))
    if memory.phase.is_final:
        return memory
    if job is None or job.attempt < memory.attempt:
        return _without_job(snapshot, run, memory, held)
    settled = memory.attempt == job.attempt and not memory.phase.is_working
    if works(job, snapshot, held, settled):
        return _active(snapshot, run, memory, job)
    memory = replace(memory, backfill=None)
    if job.result is not None:
        memory = with_records(memory, job.result.backfills)
    if job.result is not None and job.result.outcome is Outcome.SUCCEEDED:
        return _succeeded(snapshot, run, memory, job)
    if settled:
        return memory
    memory = replace(memory, job_name=job.name, attempt=job.attempt)
    if is_stopped(job, held):
        return _stopped(_as_reached(memory, job), "" if job.result is None else job.result.notice)
    return _attempt_failed(snapshot, run, memory, job)


def _as_reached(memory: DatabaseStatus, job: JobView) -> DatabaseStatus:
    """Where the database is after a Job that did not get to the target, as the runner saw it in the end."""
    result = job.result
    if result is None or not result.to_revision:
        return memory
    total, done = memory.revisions_total, memory.revisions_done
    if total is not None and result.applied_count:
        done = max(total - result.pending_count, done or 0)
    return replace(memory, current_revision=", ".join(result.to_revision), revisions_done=done)


def _stopped(memory: DatabaseStatus, notice: str = "") -> DatabaseStatus:
    message = f"{STOPPED}. {notice}" if notice else STOPPED
    return replace(
        memory, phase=moved(memory.phase, Fact.JOB_STOPPED), reason="", message=message, retry_time=None
    )


def _with_plan(snapshot: Snapshot, memory: DatabaseStatus, plan: DatabasePlan | None) -> DatabaseStatus:
    if plan is None or memory.phase is not DatabasePhase.PENDING:
        return memory
    planned = replace(
        memory,
        current_revision=", ".join(plan.current),
        target_revision=", ".join(plan.target),
        revisions_done=0,
        revisions_total=len(plan.pending),
        pending=tuple(Pending(one.revision, one.title) for one in plan.pending[:PENDING_SHOWN]),
        pending_count=len(plan.pending),
        planned=plan.planned if plan.pending else None,
        message=" ".join(plan.notices),
    )
    if plan.pending:
        return planned
    return replace(
        planned,
        phase=moved(memory.phase, Fact.NOTHING_PENDING),
        message=planned.message or WAS_THERE,
        completion_time=stamp(snapshot.now),
    )


def _without_job(snapshot: Snapshot, run: CurrentRun, memory: DatabaseStatus, held: bool) -> DatabaseStatus:
    """Its Job is gone. It is never run again blindly: the next one looks at the database first."""
    if not memory.phase.is_working:
        return memory
    if held:
        return _stopped(memory)
    return _failed(snapshot, run, memory, reason_of("JobDisappeared"), "", snapshot.now)


def _active(snapshot: Snapshot, run: CurrentRun, memory: DatabaseStatus, job: JobView) -> DatabaseStatus:
    progress = snapshot.progress_of(job.name)
    is_filling = progress is not None and progress.backfill is not None
    started = replace(
        memory,
        phase=moved(memory.phase, Fact.BACKFILL_ACTIVE if is_filling else Fact.JOB_ACTIVE),
        job_name=job.name,
        attempt=job.attempt,
        reason="",
        message=obstacle_text(run, job),
        retry_time=None,
        start_time=memory.start_time or stamp(job.created),
    )
    if started.message:
        return started
    told = started if progress is None else _with_progress(started, progress)
    which = attempt_text(memory.failures, run.spec.retry.attempts)
    return replace(told, message=": ".join(filter(None, (which, told.message))))


def _with_progress(database: DatabaseStatus, progress: JobProgress) -> DatabaseStatus:
    """The runner counts from where this attempt began, the status from where the run did."""
    total, done = progress.revisions_total, progress.revisions_done
    if total is not None and done is not None and database.revisions_total is not None:
        done, total = max(database.revisions_total - (total - done), 0), database.revisions_total
    return replace(
        with_backfill(database, progress),
        current_revision=", ".join(progress.current) or database.current_revision,
        revisions_done=database.revisions_done if done is None else done,
        revisions_total=database.revisions_total if total is None else total,
        message=progress.message or database.message,
    )


def _succeeded(snapshot: Snapshot, run: CurrentRun, memory: DatabaseStatus, job: JobView) -> DatabaseStatus:
    result = job.result
    assert result is not None
    total, planned = run.applied_to(memory.name), memory.revisions_total
    if total is None:
        total = result.applied_count if planned is None else planned
    return replace(
        memory,
        phase=moved(memory.phase, Fact.JOB_SUCCEEDED),
        current_revision=", ".join(result.to_revision),
        target_revision=memory.target_revision or ", ".join(result.to_revision),
        revisions_done=total,
        revisions_total=total,
        pending=(),
        pending_count=0,
        job_name=job.name,
        attempt=job.attempt,
        reason="",
        message=_applied(total, planned or 0, result.ahead),
        retry_time=None,
        start_time=memory.start_time or stamp(job.created),
        completion_time=stamp(snapshot.now),
    )


def _applied(applied: int, planned: int, ahead: bool) -> str:
    """What this run did, and what of its plan it found done: by another run, or by a pod that was taken away."""
    if applied == 0:
        return "it is past what was asked for, which is accepted" if ahead else WAS_THERE
    found = f"; {planned - applied} of the {planned} planned were there by then" if planned > applied else ""
    return f"{applied} revision{'' if applied == 1 else 's'} applied{found}"


def _attempt_failed(
    snapshot: Snapshot, run: CurrentRun, memory: DatabaseStatus, job: JobView
) -> DatabaseStatus:
    reason, happened = failure_of(job)
    memory = replace(_as_reached(memory, job), start_time=memory.start_time or stamp(job.created))
    return _failed(snapshot, run, memory, reason, happened, job.finished or snapshot.now)


def _failed(
    snapshot: Snapshot,
    run: CurrentRun,
    memory: DatabaseStatus,
    reason: Reason,
    happened: str,
    since: datetime,
) -> DatabaseStatus:
    failures = memory.failures + 1
    again = retry_time(reason, failures, run.spec.retry, memory.job_name, since)
    return replace(
        memory,
        phase=moved(memory.phase, Fact.ATTEMPT_FAILED if again else Fact.GAVE_UP),
        failures=failures,
        reason=reason.name,
        message=explain(reason, happened, run.migration.name)
        + outlook(failures, run.spec.retry.attempts, again is not None),
        retry_time=stamp(again) if again else None,
        completion_time=None if again else stamp(snapshot.now),
    )


def _with_lost_targets(
    snapshot: Snapshot, run: CurrentRun, plan: PlanStatus, databases: tuple[DatabaseStatus, ...]
) -> tuple[DatabaseStatus, ...]:
    """A relative target whose meaning nobody remembers is not counted anew: part of the way may be done."""
    lost = {
        wish.name
        for wish, database in zip(run.spec.databases, databases, strict=True)
        if is_relative(run.spec.target_of(wish))
        and database.planned is None
        and database.phase in (DatabasePhase.PENDING, DatabasePhase.WAITING)
    }
    reason = reason_of("PlanLost")
    return tuple(
        replace(
            database,
            phase=moved(database.phase, Fact.GAVE_UP),
            reason=reason.name,
            message=explain(reason, "", run.migration.name),
            retry_time=None,
            completion_time=stamp(snapshot.now),
        )
        if plan.completion_time and database.name in lost
        else database
        for database in databases
    )


def _with_skips(run: CurrentRun, databases: tuple[DatabaseStatus, ...]) -> tuple[DatabaseStatus, ...]:
    """Databases that will never start, because of one before them, are said to be skipped at once."""
    stopped = run.spec.strategy.on_failure == "Stop" and any(
        database.phase is DatabasePhase.FAILED for database in databases
    )
    lost = {
        database.name
        for database in databases
        if database.phase in (DatabasePhase.FAILED, DatabasePhase.SKIPPED)
    }
    shown = []
    for wish, database in zip(run.spec.databases, databases, strict=True):
        culprits = [name for name in wish.depends_on if name in lost]
        if database.phase is DatabasePhase.PENDING and (stopped or culprits):
            why = f"{culprits[0]} failed" if culprits else "an earlier database failed (onFailure: Stop)"
            phase = moved(database.phase, Fact.EARLIER_FAILED)
            begun = "not continued" if database.attempt else "not started"
            shown.append(replace(database, phase=phase, message=f"{begun}: {why}"))
            lost.add(database.name)
        else:
            shown.append(database)
    return tuple(shown)
