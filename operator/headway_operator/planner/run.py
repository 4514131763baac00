"""Which run this is: what the specification wishes now, and which Jobs and which memory belong to it."""

from dataclasses import dataclass
from datetime import datetime

from headway_contract.planned import Planned
from headway_operator.api.identity import identity_of, job_name, new_run_id
from headway_operator.api.migration import Migration, Spec
from headway_operator.api.status import DatabaseStatus, PlanStatus, Status
from headway_operator.planner.actions import StartJob
from headway_operator.planner.drift import kept
from headway_operator.planner.explain import moment
from headway_operator.planner.snapshot import JobState, JobView, Snapshot, Stage


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
        return plan or PlanStatus(failures=self.earlier_failures(Stage.PLAN, ""))

    def remembered(self, name: str) -> DatabaseStatus:
        """What the status has of this database in this run."""
        before = self.migration.status.database(name)
        if before is not None and not self.is_new:
            return before
        drift = kept(self.spec.drift, None if before is None else before.drift)
        return DatabaseStatus(
            name,
            failures=self.earlier_failures(Stage.MIGRATE, name),
            drift=drift,
            half_done=None if before is None else before.half_done,
        )

    @property
    def has_touched_databases(self) -> bool:
        """Whether a Job that changes something was ever created, so that there must have been a plan."""
        return any(job.stage is not Stage.PLAN for job in self.jobs)

    def latest(self, stage: Stage, database: str = "") -> JobView | None:
        """The Job of the latest attempt."""
        matching = (job for job in self.jobs if job.stage is stage and job.database == database)
        return max(matching, key=lambda job: job.attempt, default=None)

    def applied_to(self, database: str) -> int | None:
        """How many revisions its Jobs applied to this database; None when the result of one is not known."""
        counts = []
        for stage in (Stage.MIGRATE, Stage.POST_DEPLOY):
            jobs = [job for job in self.jobs if (job.stage, job.database) == (stage, database)]
            results = [job.result for job in jobs if job.result is not None]
            if len(results) < max((job.attempt for job in jobs), default=0):
                return None
            counts += [result.applied_count for result in results]
        return sum(counts) if counts else None

    def start(self, stage: Stage, database: str, attempt: int, planned: Planned | None = None) -> StartJob:
        """The action that starts this attempt."""
        migration = self.migration
        name = job_name(migration.name, migration.uid, self.id, database, stage.value, attempt)
        return StartJob(name, self.id, self.identity, stage, database, attempt, planned)

    def earlier_failures(self, stage: Stage, database: str) -> int:
        """How many attempts before the latest one failed, as far as their Jobs tell."""
        latest = self.latest(stage, database)
        matching = (job for job in self.jobs if job.stage is stage and job.database == database)
        return sum(
            job is not latest and job.state is JobState.FAILED and not job.was_stopped for job in matching
        )


def current_run(snapshot: Snapshot, spec: Spec) -> CurrentRun:
    """The latest run when it is of this identity, else a new one."""
    migration = snapshot.migration
    identity = identity_of(spec, migration.retry_token)
    latest, its_identity = _latest_run(migration.status, snapshot.jobs)
    run = latest if its_identity == identity else new_run_id(migration, identity, latest)
    return CurrentRun(
        id=run,
        identity=identity,
        is_new=migration.status.run is None or migration.status.run.id != run,
        migration=migration,
        spec=spec,
        jobs=tuple(job for job in snapshot.jobs if job.run == run),
        other_jobs=tuple(job for job in snapshot.jobs if job.run != run),
    )


def _latest_run(status: Status, jobs: tuple[JobView, ...]) -> tuple[str, str]:
    """Id and identity of the run that was begun last: that of the status, unless a Job tells of a later one.

    A status may be lost, or may not have been written any more after the first Job of a run was created. Jobs carry
    run and identity too. Where whole seconds leave open which run was last, none of them is gone on with.
    """
    later = _jobs_of_later_runs(status, jobs)
    if not later:
        return (status.run.id, status.run.identity) if status.run is not None else ("", "")
    newest = max(later, key=_age_rank)
    rivals = {job.run for job in later if job.created == newest.created}
    return newest.run, newest.identity if len(rivals) == 1 else ""


def _jobs_of_later_runs(status: Status, jobs: tuple[JobView, ...]) -> list[JobView]:
    """A run begins when the Jobs of the one before are done, so its own are younger than all of theirs."""
    ended = {entry.run for entry in status.history}
    if status.run is None:
        return [job for job in jobs if job.run not in ended]
    own = [job.created for job in jobs if job.run == status.run.id]
    since = max(own, default=moment(status.run.start_time))
    ended.add(status.run.id)
    unheard = [job for job in jobs if job.run not in ended]
    return [
        one
        for one in unheard
        if not since or one.created > since or (one.created == since and not _is_swept_away(one))
    ]


def _is_swept_away(job: JobView) -> bool:
    """The rest of a run that the history has let go; one that is removed while active belongs to a later run."""
    return job.deleting and not job.is_active


def _age_rank(job: JobView) -> tuple[datetime, int, int, str]:
    return job.created, list(Stage).index(job.stage), job.attempt, job.name
