"""A cluster of one resource, in memory: what the planner decides is done to it, and what Jobs do comes back.

It stands in for the API server, the Job controller and the databases, and it objects at once when a database would
get a second Job, an attempt would be made twice, or a status has more than the schema of the resource allows.
DeleteJob only marks a Job; :meth:`remove` takes it away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headway_contract.codec import encode
from headway_contract.control import Control
from headway_contract.result import Outcome, RunResult
from headway_operator.api.migration import FINALIZER, Migration
from headway_operator.api.status import DatabasePhase, Status
from headway_operator.planner.actions import (
    Action,
    AddFinalizer,
    Decision,
    DeleteJob,
    RemoveFinalizer,
    StartJob,
    SteerJob,
    StopJob,
)
from headway_operator.planner.plan import plan
from headway_operator.planner.snapshot import (
    JobProgress,
    JobState,
    JobView,
    PodView,
    RefusedStart,
    Rollout,
    Snapshot,
    Stage,
)
from support.builders import NOW, a_migration, a_plan, a_result, a_rollout
from support.crd import beyond_bounds, resource_schema


class Refused(Exception):
    """The API server refuses a write: the resource has changed since it was read, or is gone."""


class ModelCluster:
    """One resource, its Jobs, and for each database the image whose revisions it has."""

    def __init__(self, migration: Migration | None = None) -> None:
        self.migration: Migration | None = migration or a_migration()
        self.jobs: dict[str, JobView] = {}
        self.now = NOW
        self.heads: dict[str, str] = {}
        self.flakes: dict[str, int] = {}
        self.broken: set[tuple[str, str]] = set()
        self.later: set[str] = set()
        """Images that have a revision which waits until the application is rolled out."""
        self.rest: dict[str, str] = {}
        """For each database, the image whose waiting revision it has."""
        self.broken_later: set[tuple[str, str]] = set()
        self.rolled_out = "shop:0"
        """The image that the workloads to wait for run."""
        self.images: dict[str, str] = {}
        self.progress: dict[str, JobProgress] = {}
        self.reported: set[str] = set()
        self.refuses: set[str] = set()
        """Databases whose Jobs the API server does not create now; ``""`` is the plan's."""

    @property
    def resource(self) -> Migration:
        """The resource, which must not be gone."""
        assert self.migration is not None
        return self.migration

    @property
    def status(self) -> Status:
        """As it was written last."""
        return self.resource.status

    @property
    def active(self) -> list[JobView]:
        """The Jobs that may still change something."""
        return [job for job in self.jobs.values() if job.is_active]

    def snapshot(self) -> Snapshot:
        """What ``observe`` would gather now."""
        return Snapshot(
            self.now,
            self.resource,
            tuple(self.jobs.values()),
            tuple(self.progress.values()),
            rollouts=self._rollouts(),
        )

    def roll_out(self) -> None:
        """The application of this generation is rolled out."""
        assert self.resource.spec is not None
        self.rolled_out = self.resource.spec.image

    def edit(self, **spec: Any) -> None:
        """A new generation with these fields of spec."""
        assert self.resource.spec is not None
        changed = replace(self.resource.spec, **spec)
        self._write(spec=changed, generation=self.resource.generation + 1)

    def annotate(self, name: str, value: str) -> None:
        """Set an annotation, or remove it with an empty value."""
        annotations = {key: one for key, one in self.resource.annotations.items() if key != name}
        self._write(annotations={**annotations, name: value} if value else annotations)

    def create(self, migration: Migration) -> None:
        """The resource is created again after it was deleted."""
        assert self.migration is None
        self.migration = migration

    def empty_status(self) -> None:
        """Somebody clears status by hand; what was only told there is forgotten."""
        self.reported.clear()
        self._write(status=Status())

    def delete(self) -> None:
        """kubectl delete: it goes at once where no finalizer holds it."""
        self._write(deleting=True)
        self._go_if_free()

    def reconcile(self, crash_after: int | None = None) -> Decision:
        """One look: actions in order, status last; ``crash_after`` so many actions the operator is killed."""
        decision = self.decide()
        self.execute(decision, self.resource, crash_after)
        return decision

    def decide(self) -> Decision:
        """What the look comes to: of refused Jobs it knows once it has tried, and decides anew what rests on them."""
        snapshot = self.snapshot()
        decision = plan(snapshot)
        refused = tuple(
            RefusedStart(one.name, one.database, "JobRefused", "exceeded quota")
            for one in decision.starts
            if one.database in self.refuses
        )
        if not refused:
            return decision
        told = plan(replace(snapshot, refused=refused))
        names = {one.job_name for one in refused}
        actions = tuple(
            one for one in decision.actions if not (isinstance(one, StartJob) and one.name in names)
        )
        return replace(
            decision, actions=actions, status=told.status, wake_after=told.wake_after, sweep=told.sweep
        )

    def execute(self, decision: Decision, read: Migration, crash_after: int | None = None) -> None:
        """Do what was decided on the resource as it was when it was read; raises :class:`Refused`."""
        read_version = read.resource_version
        actions = (*decision.actions, *decision.sweep)
        for action in actions if crash_after is None else actions[:crash_after]:
            read_version = self._do(action, read, read_version)
        if crash_after is None and self.migration is not None and decision.status != self.status:
            self._expect(read_version)
            too_much = list(beyond_bounds(encode(decision.status), resource_schema("status"), "status"))
            assert not too_much, f"the API server refuses the status: {too_much}"
            self._write(status=decision.status)
            self.reported |= {one.job_name for one in self.status.databases if one.job_name}

    def start_pod(self, name: str, **fields: Any) -> None:
        """The Job's pod appears and its runner begins, unless ``fields`` say otherwise."""
        job = self.jobs[name]
        pod = job.pod or PodView(f"{name}-x", self.now)
        self.jobs[name] = replace(job, pod=replace(pod, **{"started": True, **fields}))

    def finish(self, name: str, result: RunResult | None = None) -> None:
        """The Job ends as the databases of this model have it, or with this result."""
        job = self.jobs[name]
        result = result or self._result(job)
        state = JobState.SUCCEEDED if result.outcome is Outcome.SUCCEEDED else JobState.FAILED
        self.jobs[name] = replace(job, state=state, result=result)

    def remove(self, name: str) -> None:
        """The Job is gone, with its pod."""
        del self.jobs[name]
        self._go_if_free()

    def settle(self, rounds: int = 600) -> None:
        """Let everything take its course until nothing moves any more and nothing is to be sent."""
        for _ in range(rounds):
            if self.migration is None:
                return
            before = self._all_of_it()
            decision = self.reconcile()
            for job in list(self.jobs.values()):
                if job.deleting and self.is_let_go(job):
                    self.remove(job.name)
                elif job.is_active:
                    self.step(job.name)
            if decision.wake_after is not None:
                self.now += decision.wake_after
            elif self.migration and before == self._all_of_it():
                return
        raise AssertionError(f"it never came to rest: {self.status}")

    def step(self, name: str) -> None:
        """The runner of this Job goes on: here to its end."""
        self.start_pod(name)
        self.finish(name)

    def is_let_go(self, job: JobView) -> bool:
        """Nothing of a Job that is removed runs any more."""
        return True

    def _all_of_it(self) -> tuple[object, ...]:
        return self.status, tuple(self.jobs.values()), self.resource.finalizers

    def _do(self, action: Action, read: Migration, read_version: str) -> str:
        if isinstance(action, AddFinalizer | RemoveFinalizer):
            self._expect(read_version)
            held = (FINALIZER,) if isinstance(action, AddFinalizer) else ()
            assert not (held and self.resource.deleting), (
                "a finalizer cannot be added to what is being deleted"
            )
            self._write(finalizers=held)
            version = self.resource.resource_version
            self._go_if_free()
            return version
        if isinstance(action, StartJob):
            self._create(action, read)
        elif isinstance(action, StopJob) and (job := self.jobs.get(action.name)) and job.pod:
            control = Control(action.sequence, True, action.reason)
            self.jobs[job.name] = replace(job, pod=replace(job.pod, control=control))
        elif isinstance(action, SteerJob) and (job := self.jobs.get(action.name)) and job.pod:
            self.jobs[job.name] = replace(job, pod=replace(job.pod, control=action.control))
        elif isinstance(action, DeleteJob) and action.name in self.jobs:
            self.jobs[action.name] = replace(self.jobs[action.name], deleting=True)
        return read_version

    def _create(self, start: StartJob, read: Migration) -> None:
        if start.name in self.jobs:
            return
        assert start.stage is Stage.PLAN or FINALIZER in self.resource.finalizers, (
            "a Job without the finalizer would be cut off by a delete"
        )
        assert start.name not in self.reported, f"attempt {start.name} is made twice"
        rivals = [
            job.name
            for job in self.active
            if job.database == start.database and (job.stage is Stage.PLAN) == (start.stage is Stage.PLAN)
        ]
        assert not rivals, f"{start.name} would be the second Job beside {rivals}"
        assert read.spec is not None
        if start.stage is Stage.POST_DEPLOY:
            self._expect_an_open_gate(read)
        self.images[start.name] = read.spec.image
        self.jobs[start.name] = JobView(
            start.name, start.run, start.identity, start.stage, start.database, start.attempt, self.now
        )

    def _result(self, job: JobView) -> RunResult:
        image = self.images[job.name]
        if job.pod is not None and job.pod.control.stop:
            return a_result(Outcome.STOPPED)
        if self.flakes.get(job.database, 0):
            self.flakes[job.database] -= 1
            return a_result(failure="LockTimeout")
        if not job.database:
            assert self.resource.spec is not None
            names = [one.name for one in self.resource.spec.databases]
            pending = {name: [image] if self.heads.get(name) != image else [] for name in names}
            later = {name: [f"{image}-later"] for name in names if self._lacks_the_rest(name, image)}
            return a_result(plan=a_plan(later, **pending))
        if job.stage is Stage.POST_DEPLOY:
            return self._result_behind_the_gate(job.database, image)
        if (job.database, image) in self.broken:
            return a_result(failure="RevisionFailed")
        count = int(self.heads.get(job.database) != image)
        self.heads[job.database] = image
        left = int(self._lacks_the_rest(job.database, image))
        return a_result(
            database=job.database, to_revision=(image,), applied_count=count, post_deploy_count=left
        )

    def _result_behind_the_gate(self, database: str, image: str) -> RunResult:
        if (database, image) in self.broken_later:
            return a_result(failure="RevisionFailed", pending_count=1)
        count = int(self._lacks_the_rest(database, image))
        self.rest[database] = image
        return a_result(database=database, to_revision=(f"{image}-later",), applied_count=count)

    def _lacks_the_rest(self, database: str, image: str) -> bool:
        return image in self.later and self.rest.get(database) != image

    def _expect_an_open_gate(self, read: Migration) -> None:
        """Nothing behind the gate begins before everything before it is applied, told, and rolled out."""
        spec = read.spec
        assert spec is not None
        assert read.status.is_ready(read.generation), "the gate is not told to be open"
        behind = [one.name for one in spec.databases if self.heads.get(one.name) != spec.image]
        assert not behind, f"{behind} lack what must precede the application"
        assert not spec.post_deploy.wait_for or self.rolled_out == spec.image, "nothing is rolled out"

    def _rollouts(self) -> tuple[Rollout, ...]:
        """Looked at only where the status says that something waits."""
        resource = self.resource
        waits = any(
            one.stage is Stage.POST_DEPLOY and one.phase is DatabasePhase.PENDING
            for one in resource.status.databases
        )
        if resource.spec is None or not waits:
            return ()
        return tuple(a_rollout(one, self.rolled_out) for one in resource.spec.post_deploy.wait_for)

    def _expect(self, version: str) -> None:
        if self.migration is None or self.migration.resource_version != version:
            raise Refused

    def _write(self, **fields: Any) -> None:
        version = str(int(self.resource.resource_version) + 1)
        self.migration = replace(self.resource, **fields, resource_version=version)

    def _go_if_free(self) -> None:
        if self.migration is not None and self.migration.deleting and not self.migration.finalizers:
            self.migration = None
            self.jobs.clear()
