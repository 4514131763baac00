"""What the status keeps of a run that another one is to replace and cannot yet: as its Jobs left it. Pure."""

from dataclasses import replace

from headway_contract.result import Outcome
from headway_operator.api.status import DatabaseStatus, Status
from headway_operator.planner.attempts import ran_out_while_paused
from headway_operator.planner.backfills import with_records
from headway_operator.planner.explain import explain
from headway_operator.planner.follow import as_reached, stopped
from headway_operator.planner.half_done import with_half_done
from headway_operator.planner.retries import failure_of
from headway_operator.planner.snapshot import JobView, Snapshot
from headway_operator.planner.strays import databases_with_strays

IS_DONE = "its Job took it to the target of the earlier specification"


def without_work(snapshot: Snapshot, status: Status) -> Status:
    """The status, in which nothing is at work that no Job works on."""
    run = status.run
    if run is None:
        return status
    jobs = tuple(job for job in snapshot.jobs if job.run == run.id)
    busy = {job.database for job in jobs if job.is_active} | databases_with_strays(snapshot)
    databases = tuple(
        _left(snapshot, one, jobs) if one.phase.is_working and one.name not in busy else one
        for one in status.databases
    )
    return replace(status, databases=databases)


def _left(snapshot: Snapshot, database: DatabaseStatus, jobs: tuple[JobView, ...]) -> DatabaseStatus:
    """As its Job left it. When a person takes the change back, the run goes on from there; whether a failure has
    another attempt is judged only then.
    """
    database = replace(database, backfill=None)
    job = next((one for one in jobs if one.name == database.job_name), None)
    if job is None:
        return stopped(database)
    result = job.result
    if result is not None:
        database = as_reached(with_records(database, result.backfills), job)
    if job.was_stopped or ran_out_while_paused(job, snapshot.migration):
        return stopped(database, "" if result is None else result.notice)
    if result is not None and result.outcome is Outcome.SUCCEEDED:
        return replace(stopped(database), message=IS_DONE)
    reason, happened = failure_of(job)
    text = explain(reason, happened, snapshot.migration.name)
    return with_half_done(replace(stopped(database), reason=reason.name, message=text), job)
