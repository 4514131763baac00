"""Where the plan of a run stands. A plan changes nothing, so one that is lost is simply made again."""

from dataclasses import replace

from headway_contract.result import Outcome, Plan
from headway_operator.api.identity import digest_to_approve
from headway_operator.api.reasons import Reason, reason_of
from headway_operator.api.status import PlanStatus
from headway_operator.planner.attempts import STOPPED, is_stopped, obstacle_text, works
from headway_operator.planner.explain import attempt_text, explain, going_on_text, outlook, stamp
from headway_operator.planner.retries import failure_of, retry_time
from headway_operator.planner.run import CurrentRun
from headway_operator.planner.snapshot import JobView, Snapshot, Stage
from headway_operator.planner.url_source import with_source


def follow_plan(snapshot: Snapshot, run: CurrentRun, held: bool) -> tuple[PlanStatus, Plan | None]:
    """How the plan fares, and what it found when its Job has just told."""
    memory, job = run.remembered_plan, run.latest(Stage.PLAN)
    if memory.completion_time:
        return memory, None
    if not run.spec.is_planned and (job is None or not job.is_active):
        return PlanStatus(completion_time=stamp(snapshot.now)), None
    if job is None or job.attempt < memory.attempt:
        return _plan_without_job(snapshot, run, memory, held), None
    settled = memory.attempt == job.attempt and memory.retry_time is not None
    if works(job, snapshot, held, settled):
        which = attempt_text(memory.failures, run.spec.retry.attempts)
        message = obstacle_text(run, job) or going_on_text(which, "", memory.message)
        return PlanStatus(
            job_name=job.name, attempt=job.attempt, failures=memory.failures, message=message
        ), None
    if job.result is not None and job.result.plan is not None and job.result.outcome is Outcome.SUCCEEDED:
        return _plan_done(snapshot, run, job, job.result.plan), job.result.plan
    if settled:
        return memory, None
    if run.has_touched_databases:
        return PlanStatus(job_name=job.name, attempt=job.attempt, completion_time=stamp(snapshot.now)), None
    if is_stopped(job, held):
        return _plan_stopped(snapshot, replace(memory, job_name=job.name, attempt=job.attempt)), None
    return _plan_attempt_failed(snapshot, run, memory, job), None


def _plan_without_job(snapshot: Snapshot, run: CurrentRun, memory: PlanStatus, held: bool) -> PlanStatus:
    """Its Job is gone: a plan changes nothing, so it is simply made again after a pause."""
    if memory.attempt == 0 and run.has_touched_databases:
        return PlanStatus(completion_time=stamp(snapshot.now))
    if memory.attempt == 0 or memory.retry_time:
        return memory
    if held:
        return _plan_stopped(snapshot, memory)
    return _plan_failed(snapshot, run, memory, reason_of("JobDisappeared"), "")


def _plan_stopped(snapshot: Snapshot, memory: PlanStatus) -> PlanStatus:
    """It is made again as soon as it may be."""
    return replace(memory, reason="", message=STOPPED, retry_time=stamp(snapshot.now))


def _plan_done(snapshot: Snapshot, run: CurrentRun, job: JobView, plan: Plan) -> PlanStatus:
    return PlanStatus(
        digest=digest_to_approve(run.spec, plan.digest),
        revisions=sum(len(database.pending) for database in plan.databases),
        databases=len(plan.databases),
        job_name=job.name,
        attempt=job.attempt,
        completion_time=stamp(snapshot.now),
        message=job.plan_untold,
    )


def _plan_attempt_failed(snapshot: Snapshot, run: CurrentRun, memory: PlanStatus, job: JobView) -> PlanStatus:
    reason, happened = failure_of(job)
    memory = replace(memory, job_name=job.name, attempt=job.attempt)
    name = job.result.database if job.result is not None else ""
    told = f"{name}: {happened}" if name and happened else happened
    return _plan_failed(snapshot, run, memory, reason, with_source(reason, told, run.spec, name))


def _plan_failed(
    snapshot: Snapshot, run: CurrentRun, memory: PlanStatus, reason: Reason, happened: str
) -> PlanStatus:
    failures = memory.failures + 1
    again = retry_time(reason, failures, run.spec.retry, memory.job_name, snapshot.now)
    return replace(
        memory,
        failures=failures,
        reason=reason.name,
        message=explain(reason, happened, run.migration.name)
        + outlook(failures, run.spec.retry.attempts, again is not None),
        retry_time=stamp(again) if again else None,
        completion_time=None if again else stamp(snapshot.now),
    )
