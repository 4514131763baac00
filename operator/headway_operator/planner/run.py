"""Which run this is: what the specification wishes now, and which Jobs and which memory belong to it."""

from dataclasses import dataclass

from headway_operator.api.identity import identity_of, job_name, new_run_id
from headway_operator.api.migration import Migration, Spec
from headway_operator.api.status import DatabaseStatus, PlanStatus, Status
from headway_operator.planner.actions import StartJob
from headway_operator.planner.snapshot import JobView, Snapshot, Stage


@dataclass(frozen=True)
class CurrentRun:
    """The run of this specification. ``is_new``: the status does not know it yet."""

    id: str
    identity: str
    is_new: bool
    migration: Migration
    spec: Spec
    jobs: tuple[JobView, ...]
    other_jobs: tuple[JobView, ...]

    @property
    def remembered_plan(self) -> PlanStatus:
        """What the status has of this run's plan."""
        plan = None if self.is_new else self.migration.status.plan
        return plan or PlanStatus()

    def remembered(self, name: str) -> DatabaseStatus:
        """What the status has of this database in this run."""
        database = None if self.is_new else self.migration.status.database(name)
        return database or DatabaseStatus(name)

    def latest(self, stage: Stage, database: str = "") -> JobView | None:
        """The Job of the latest attempt."""
        matching = (job for job in self.jobs if job.stage is stage and job.database == database)
        return max(matching, key=lambda job: job.attempt, default=None)

    def start(self, stage: Stage, database: str, attempt: int) -> StartJob:
        """The action that starts this attempt."""
        migration = self.migration
        name = job_name(migration.name, migration.uid, self.id, database, stage.value, attempt)
        return StartJob(name, self.id, self.identity, stage, database, attempt)


def current_run(snapshot: Snapshot, spec: Spec) -> CurrentRun:
    """The run of the status when it is of the same identity, else that of the newest Job, else a new one.

    The second case is a status that was lost: Jobs carry the identity too, so their run goes on.
    """
    migration = snapshot.migration
    identity = identity_of(spec, migration.retry_token)
    known = _known_run(migration.status, identity)
    run = known or _run_of_newest_job(snapshot.jobs, identity) or new_run_id(migration, identity)
    return CurrentRun(
        id=run,
        identity=identity,
        is_new=not known,
        migration=migration,
        spec=spec,
        jobs=tuple(job for job in snapshot.jobs if job.run == run),
        other_jobs=tuple(job for job in snapshot.jobs if job.run != run),
    )


def _known_run(status: Status, identity: str) -> str:
    return status.run.id if status.run is not None and status.run.identity == identity else ""


def _run_of_newest_job(jobs: tuple[JobView, ...], identity: str) -> str:
    newest = max(jobs, key=lambda job: job.created, default=None)
    return newest.run if newest is not None and newest.identity == identity else ""
