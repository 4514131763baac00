"""A person's wish to end one run: what runs stops at a safe point, nothing more is started, and the run is over.

The annotation headway.dev/abort holds any token that was not acted on yet, and means the run that is there when it is
first seen, if the status had told of its generation. ``RUN/TOKEN`` means the run of that id and no other. So a token
that stays, comes with a copy of the resource, or arrives together with a new specification ends no later run. No
clock is asked.
"""

from dataclasses import replace

from headway_operator.api.conditions import State
from headway_operator.api.reasons import reason_of
from headway_operator.api.status import DatabasePhase, DatabaseStatus, PlanStatus
from headway_operator.planner.explain import explain, stamp
from headway_operator.planner.follow import Standing
from headway_operator.planner.gates import Blocked
from headway_operator.planner.lifecycle import Fact, moved
from headway_operator.planner.run import CurrentRun
from headway_operator.planner.snapshot import JobView, Snapshot
from headway_operator.planner.strays import databases_with_strays

ABORTED = "Aborted"
IS_ABORTED = "the run is aborted: it ends at its next safe point, and nothing more is started"
ABORTING = Blocked(State.PROGRESSING, "Aborting", IS_ABORTED)


def abort_of(snapshot: Snapshot, run: CurrentRun) -> str:
    """The token that ends this run, '' when none does."""
    status = snapshot.migration.status
    if not run.is_new and status.run is not None and (status.run.abort or status.run.completion_time):
        return status.run.abort
    token = snapshot.migration.abort_token
    if token and token != status.last_handled_abort:
        named, slash, _ = token.partition("/")
        is_meant = named == run.id if slash else status.observed_generation == snapshot.migration.generation
        if is_meant:
            return token
    # The status may have been lost; then a Job that was told so remembers it.
    return ABORTED if any(_was_told(job) for job in run.jobs) else ""


def with_abort(snapshot: Snapshot, run: CurrentRun, standing: Standing, abort: str) -> Standing:
    """The standing once nothing more is started; an abort that comes when all is done changes nothing."""
    if not abort:
        return standing
    databases = standing.databases if standing.is_over else _without_more(snapshot, run, standing.databases)
    is_ended = ABORTED in (standing.plan.reason, *(one.reason for one in databases))
    if not is_ended and standing.is_over:
        return replace(standing, abort="")
    # Also where all are done already, by a status that knows no plan: only a Job that plans would still run.
    goes_on = not is_ended and any(job.is_active for job in run.jobs)
    if goes_on or not all(one.phase.is_final for one in databases):
        return replace(standing, databases=databases, abort=abort)
    happened = "; ".join(f"{one.name}: {_told(one)}" for one in databases)
    return replace(
        standing,
        plan=standing.plan if standing.plan.completion_time else _never_made(snapshot, standing.plan),
        databases=databases,
        abort=abort,
        aborted=explain(reason_of(ABORTED), happened, run.migration.name),
    )


def _without_more(
    snapshot: Snapshot, run: CurrentRun, databases: tuple[DatabaseStatus, ...]
) -> tuple[DatabaseStatus, ...]:
    """Each that nothing works on, or may work on, is ended."""
    busy = {job.database for job in snapshot.jobs if job.is_active} | databases_with_strays(snapshot)
    if "" in busy:
        return databases
    return tuple(
        one if one.phase.is_final or one.phase.is_working or one.name in busy else _ended(snapshot, run, one)
        for one in databases
    )


def _never_made(snapshot: Snapshot, plan: PlanStatus) -> PlanStatus:
    return replace(
        plan,
        reason=ABORTED,
        message="the run was aborted before its plan was made",
        retry_time=None,
        completion_time=stamp(snapshot.now),
    )


def _was_told(job: JobView) -> bool:
    return job.pod is not None and job.pod.control.stop and job.pod.control.reason == IS_ABORTED


def _ended(snapshot: Snapshot, run: CurrentRun, database: DatabaseStatus) -> DatabaseStatus:
    return replace(
        database,
        phase=moved(database.phase, Fact.RUN_ABORTED),
        reason=ABORTED,
        message=_how_far(run, database) if database.attempt else "not started",
        retry_time=None,
        completion_time=stamp(snapshot.now),
    )


def _how_far(run: CurrentRun, database: DatabaseStatus) -> str:
    """What of it was applied, where it is, and what the stop left that a person should know."""
    done, total = database.revisions_done or 0, database.revisions_total
    verb = "taken back" if database.takes_back else "applied"
    applied = f"{done} of {total} revisions {verb}" if total else "stopped"
    at = f", it is at {database.current_revision}" if database.current_revision else ""
    job = run.latest(database.stage, database.name)
    notice = job.result.notice if job is not None and job.result is not None else ""
    return f"{applied}{at}{f' ({notice.rstrip(chr(46))})' if notice else ''}"


def _told(database: DatabaseStatus) -> str:
    if database.phase is DatabasePhase.SUCCEEDED:
        return "done"
    return "failed" if database.phase is DatabasePhase.FAILED else database.message
