"""Where a run stands: what the Jobs and the status say about its plan and about each database.

Jobs win over the status, which only fills in for Jobs that are gone. Doing this twice over the same facts changes
nothing.
"""

from dataclasses import dataclass, replace

from headway_contract.planned import is_relative
from headway_contract.result import DatabasePlan, Outcome, Plan, RunResult
from headway_operator.api.reasons import Reason, reason_of
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Pending, PlanStatus
from headway_operator.planner.attempts import STOPPED, is_stopped, obstacle_text, ran_out_while_paused, works
from headway_operator.planner.backfills import with_backfill, with_records
from headway_operator.planner.drift import compared
from headway_operator.planner.explain import attempt_text, explain, going_on_text, outlook, stamp
from headway_operator.planner.follow_plan import follow_plan
from headway_operator.planner.half_done import still_half_done, with_half_done
from headway_operator.planner.happenings import with_revisions
from headway_operator.planner.lifecycle import Fact, moved
from headway_operator.planner.retries import failure_of, patience_is_over, retry_time
from headway_operator.planner.review import counted, reviewed, with_findings, with_warnings
from headway_operator.planner.run import CurrentRun
from headway_operator.planner.skips import with_skips
from headway_operator.planner.snapshot import JobProgress, JobView, RefusedStart, Snapshot, Stage
from headway_operator.planner.url_source import with_source

PENDING_SHOWN = 50
WAS_THERE = "nothing to do: it was there already"


@dataclass(frozen=True)
class Standing:
    """The plan and the databases of a run, and the Jobs that wait in vain for their pods to start."""

    plan: PlanStatus
    databases: tuple[DatabaseStatus, ...]
    hopeless: tuple[JobView, ...] = ()
    abort: str = ""
    """The token of the abort that ends it."""
    aborted: str = ""
    """That and how a person ended the run, once nothing of it runs any more."""
    held: tuple[str, ...] = ()
    """Databases that wait for a hook."""
    refused: tuple[RefusedStart, ...] = ()
    """Jobs that were to start now, and that the cluster would not have."""

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
    def opens_the_gate(self) -> bool:
        """Whether everything that must precede the application is applied, in every database."""
        return self.plan_is_done and all(database.is_past_the_gate for database in self.databases)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to start or to wait for."""
        all_final = all(database.phase.is_final for database in self.databases)
        return self.plan_failed or (self.plan_is_done and all_final)


def follow(snapshot: Snapshot, run: CurrentRun, held: bool) -> Standing:
    """Where this run stands now. ``held``: nothing may start, and what has not started is removed."""
    plan, found = follow_plan(snapshot, run, held)
    review = reviewed(run.spec.lint, found, snapshot.read)
    plan = counted(with_findings(plan, review), run.spec.lint)
    databases = tuple(
        _follow_database(snapshot, run, database.name, found, held) for database in run.spec.databases
    )
    if review is not None:
        databases = tuple(with_warnings(database, review) for database in databases)
    hopeless = tuple(
        job for job in run.jobs if job.is_active and not job.deleting and patience_is_over(job, snapshot.now)
    )
    if not plan.reason:
        databases = with_skips(run, _with_lost_targets(snapshot, run, plan, databases))
    return Standing(plan, databases, () if held else hopeless)


def _follow_database(
    snapshot: Snapshot, run: CurrentRun, name: str, plan: Plan | None, held: bool
) -> DatabaseStatus:
    """First what must precede the application, then the rest: a Job for that tells that the first is done."""
    memory = run.remembered(name)
    if plan is not None:
        memory = _with_plan(
            snapshot, run, memory, next((one for one in plan.databases if one.name == name), None)
        )
    if memory.stage is Stage.MIGRATE:
        memory = _follow_stage(snapshot, run, memory, held)
    if memory.stage is Stage.MIGRATE and not memory.phase.is_final and run.latest(Stage.POST_DEPLOY, name):
        memory = _past_the_gate(run, memory, memory.revisions_done, memory.revisions_total)
    return _follow_stage(snapshot, run, memory, held) if memory.stage is Stage.POST_DEPLOY else memory


def _follow_stage(snapshot: Snapshot, run: CurrentRun, memory: DatabaseStatus, held: bool) -> DatabaseStatus:
    job = run.latest(memory.stage, memory.name)
    if memory.phase.is_final:
        return memory
    if job is None or job.attempt < memory.attempt:
        return _without_job(snapshot, run, memory, held)
    is_open = memory.phase.is_working or memory.is_unjudged
    settled = memory.attempt == job.attempt and not is_open
    if works(job, snapshot, held, settled):
        return _active(snapshot, run, memory, job)
    memory = replace(memory, backfill=None)
    if job.result is not None:
        memory = with_records(memory, job.result.backfills)
    if job.result is not None and job.result.outcome is Outcome.SUCCEEDED:
        if memory.stage is Stage.MIGRATE and job.result.post_deploy_count:
            return _left_the_rest(run, memory, job, job.result)
        return _succeeded(snapshot, run, memory, job)
    if settled:
        return memory
    memory = replace(memory, job_name=job.name, attempt=job.attempt)
    if is_stopped(job, held) or ran_out_while_paused(job, run.migration):
        return stopped(as_reached(memory, job), "" if job.result is None else job.result.notice)
    return _attempt_failed(snapshot, run, memory, job)


def as_reached(memory: DatabaseStatus, job: JobView) -> DatabaseStatus:
    """Where the database is after a Job that did not get to the target, as the runner saw it in the end."""
    result = job.result
    if result is None or not result.to_revision:
        return memory
    total, done = memory.revisions_total, memory.revisions_done
    if total is not None and result.applied_count:
        done = max(total - result.pending_count - result.post_deploy_count, done or 0)
    return replace(memory, current_revision=", ".join(result.to_revision), revisions_done=done)


def stopped(memory: DatabaseStatus, notice: str = "") -> DatabaseStatus:
    """Its Job ended, or was removed, because it was asked to."""
    message = f"{STOPPED}. {notice}" if notice else STOPPED
    return replace(
        memory, phase=moved(memory.phase, Fact.JOB_STOPPED), reason="", message=message, retry_time=None
    )


def _left_the_rest(
    run: CurrentRun, memory: DatabaseStatus, job: JobView, result: RunResult
) -> DatabaseStatus:
    """Its Job confirmed what must precede the application, and left what waits until that is rolled out."""
    left, total = result.post_deploy_count, memory.revisions_total
    if total is None:
        total = left + (run.applied_to(memory.name) or result.applied_count)
    at = ", ".join(result.to_revision)
    reached = replace(memory, job_name=job.name, current_revision=at, start_time=_began(memory, job))
    return _past_the_gate(run, reached, max(total - left, 0), total)


def _past_the_gate(
    run: CurrentRun, memory: DatabaseStatus, done: int | None, total: int | None
) -> DatabaseStatus:
    """Attempts and failures are counted anew; Jobs that there are already tell of theirs."""
    left = total - done if total is not None and done is not None else 0
    rest = tuple(one for one in memory.pending if one.post_deploy)
    return replace(
        memory,
        phase=moved(memory.phase, Fact.REST_WAITS),
        stage=Stage.POST_DEPLOY,
        revisions_done=done,
        revisions_total=total,
        pending=rest,
        pending_count=max(left, len(rest)),
        post_deploy_count=max(left, len(rest)),
        half_done=still_half_done(memory.half_done, rest) if rest else memory.half_done,
        attempt=0,
        failures=run.earlier_failures(Stage.POST_DEPLOY, memory.name),
        reason="",
        message=_waits(done or 0, left),
        retry_time=None,
        backfill=None,
    )


def _waits(done: int, left: int) -> str:
    applied = f"{done} revision{'' if done == 1 else 's'} applied; " if done else ""
    rest = "1 waits" if left == 1 else f"{left} wait" if left else "the rest waits"
    return f"{applied}{rest} until the application is rolled out"


def _began(memory: DatabaseStatus, job: JobView) -> str:
    return memory.start_time or stamp(job.created)


def _with_plan(
    snapshot: Snapshot, run: CurrentRun, memory: DatabaseStatus, plan: DatabasePlan | None
) -> DatabaseStatus:
    if plan is None or memory.phase is not DatabasePhase.PENDING:
        return memory
    later = sum(one.post_deploy for one in plan.pending)
    order = sorted(plan.pending, key=lambda one: one.post_deploy)
    memory = with_revisions(memory, plan.current, (one.revision for one in order), run.spec.hooks)
    planned = replace(
        memory,
        current_revision=", ".join(plan.current),
        target_revision=", ".join(plan.target),
        revisions_done=0,
        revisions_total=len(plan.pending),
        pending=tuple(
            Pending(one.revision, one.title, one.post_deploy) for one in plan.pending[:PENDING_SHOWN]
        ),
        pending_count=len(plan.pending),
        post_deploy_count=later,
        planned=plan.planned if plan.pending else None,
        half_done=still_half_done(memory.half_done, plan.pending),
        message=" ".join(plan.notices),
    )
    if plan.pending and later == len(plan.pending):
        return _past_the_gate(run, planned, 0, later)
    if plan.pending:
        return planned
    return replace(
        planned,
        phase=moved(memory.phase, Fact.NOTHING_PENDING),
        message=planned.message or WAS_THERE,
        completion_time=stamp(snapshot.now),
        drift=compared(run.spec.drift, memory.drift, plan.drift, stamp(snapshot.now)),
    )


def _without_job(snapshot: Snapshot, run: CurrentRun, memory: DatabaseStatus, held: bool) -> DatabaseStatus:
    """Its Job is gone. It is never run again blindly: the next one looks at the database first."""
    if memory.is_unjudged:
        # Why it failed is told already.
        judged = _failed(snapshot, run, memory, reason_of(memory.reason), "")
        return replace(judged, message=memory.message)
    if not memory.phase.is_working:
        return memory
    if held:
        return stopped(memory)
    return _failed(snapshot, run, memory, reason_of("JobDisappeared"), "")


def _active(snapshot: Snapshot, run: CurrentRun, memory: DatabaseStatus, job: JobView) -> DatabaseStatus:
    progress = snapshot.progress_of(job.name)
    is_filling = progress is not None and progress.backfill is not None
    if progress is None and memory.job_name == job.name:
        # Whoever has just begun to read its log knows only what the status says.
        is_filling = memory.phase is DatabasePhase.BACKFILLING
    started = replace(
        memory,
        phase=moved(memory.phase, Fact.BACKFILL_ACTIVE if is_filling else Fact.JOB_ACTIVE),
        job_name=job.name,
        attempt=job.attempt,
        reason="",
        message=obstacle_text(run, job),
        retry_time=None,
        start_time=_began(memory, job),
    )
    if started.message:
        return started
    told = started if progress is None else _with_progress(started, progress)
    which = attempt_text(memory.failures, run.spec.retry.attempts)
    return replace(told, message=going_on_text(which, told.message, memory.message))


def _with_progress(database: DatabaseStatus, progress: JobProgress) -> DatabaseStatus:
    """The runner counts from where this attempt began, the status from where the run did."""
    total, done = progress.revisions_total, progress.revisions_done
    if total is not None and done is not None and database.revisions_total is not None:
        left = database.left_by_its_job + total - done
        done, total = max(database.revisions_total - left, 0), database.revisions_total
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
        post_deploy_count=0,
        half_done=None,
        job_name=job.name,
        attempt=job.attempt,
        reason="",
        message=_applied(memory, total, planned or 0, result.ahead),
        retry_time=None,
        start_time=_began(memory, job),
        completion_time=stamp(snapshot.now),
        drift=compared(run.spec.drift, memory.drift, result.drift, stamp(snapshot.now)),
    )


def _applied(memory: DatabaseStatus, applied: int, planned: int, ahead: bool) -> str:
    """What this run did, and what of its plan it found done: by another run, or by a pod that was taken away."""
    if applied == 0:
        return "it is past what was asked for, which is accepted" if ahead else WAS_THERE
    found = f"; {planned - applied} of the {planned} planned were there by then" if planned > applied else ""
    done = "taken back" if memory.takes_back else "applied"
    return f"{applied} revision{'' if applied == 1 else 's'} {done}{found}"


def _attempt_failed(
    snapshot: Snapshot, run: CurrentRun, memory: DatabaseStatus, job: JobView
) -> DatabaseStatus:
    reason, happened = failure_of(job)
    memory = replace(as_reached(memory, job), start_time=_began(memory, job))
    return with_half_done(_failed(snapshot, run, memory, reason, happened), job)


def _failed(
    snapshot: Snapshot,
    run: CurrentRun,
    memory: DatabaseStatus,
    reason: Reason,
    happened: str,
) -> DatabaseStatus:
    failures = memory.failures + 1
    again = retry_time(reason, failures, run.spec.retry, memory.job_name, snapshot.now)
    return replace(
        memory,
        phase=moved(memory.phase, Fact.ATTEMPT_FAILED if again else Fact.GAVE_UP),
        failures=failures,
        reason=reason.name,
        message=explain(reason, with_source(reason, happened, run.spec, memory.name), run.migration.name)
        + outlook(failures, run.spec.retry.attempts, again is not None),
        retry_time=stamp(again) if again else None,
        completion_time=None if again else stamp(snapshot.now),
    )


def _with_lost_targets(
    snapshot: Snapshot, run: CurrentRun, plan: PlanStatus, databases: tuple[DatabaseStatus, ...]
) -> tuple[DatabaseStatus, ...]:
    """A relative target whose meaning nobody remembers is not counted anew: part of the way may be done.

    Nor is anything taken back without what its plan has shown.
    """
    lost = {
        wish.name
        for wish, database in zip(run.spec.databases, databases, strict=True)
        if (is_relative(run.spec.target_of(wish)) or run.spec.may_go_back)
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
