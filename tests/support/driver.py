"""Runs a controller over the cluster in memory without workers or waiting: time passes when a test says so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from headway_contract.request import Mode, Part, RunRequest
from headway_contract.result import DatabasePlan, Failure, Outcome, PendingRevision, Plan, RunResult
from headway_operator.api.migration import parse
from headway_operator.cluster.interface import Conflict, Key, NotFound
from headway_operator.controller.interest import is_at_rest
from headway_operator.controller.loop import Controller
from headway_operator.settings import Settings
from support.fake_cluster import Crash, FakeCluster

Outcomes = Callable[[RunRequest], RunResult | None]
ROUNDS = 60


def request_of(cluster: FakeCluster, job: str) -> RunRequest:
    """What the runner of this Job is asked."""
    (container,) = cluster.jobs[job]["spec"]["template"]["spec"]["containers"]
    values = {entry["name"]: entry.get("value", "") for entry in container["env"]}
    return RunRequest.from_json(values["HEADWAY_REQUEST"])


def all_goes_well(request: RunRequest) -> RunResult:
    """Two revisions are pending in each database, and both are applied."""
    if request.mode is Mode.PLAN:
        pending = (PendingRevision("a1", "first"), PendingRevision("b2", "second"))
        plans = (DatabasePlan(one.name, (), ("b2",), pending) for one in request.databases)
        return RunResult(Outcome.SUCCEEDED, request.run, plan=Plan(tuple(plans)))
    return RunResult(
        Outcome.SUCCEEDED, request.run, request.databases[0].name, (), ("b2",), ("a1", "b2"), applied_count=2
    )


def a_revision_fails(database: str) -> Outcomes:
    """All goes well but for a revision of this database."""

    def outcome(request: RunRequest) -> RunResult:
        good = all_goes_well(request)
        if good.database != database:
            return good
        failure = Failure("RevisionFailed", "relation users does not exist", "b2")
        return RunResult(Outcome.FAILED, request.run, database, (), ("a1",), ("a1",), 1, failure=failure)

    return outcome


def a_rest_waits(request: RunRequest) -> RunResult:
    """The second revision waits until the application is rolled out."""
    if request.mode is Mode.PLAN:
        pending = (PendingRevision("a1", "first"), PendingRevision("b2", "second", post_deploy=True))
        plans = (DatabasePlan(one.name, (), ("b2",), pending) for one in request.databases)
        return RunResult(Outcome.SUCCEEDED, request.run, plan=Plan(tuple(plans)))
    is_first = request.part is Part.BEFORE_DEPLOY
    done = ("a1",) if is_first else ("b2",)
    return RunResult(
        Outcome.SUCCEEDED,
        request.run,
        request.databases[0].name,
        (),
        done,
        done,
        applied_count=1,
        post_deploy_count=int(is_first),
    )


class Driver:
    """One operator after the other over one cluster, until it is at rest."""

    def __init__(self, cluster: FakeCluster, outcomes: Outcomes = all_goes_well) -> None:
        self.cluster = cluster
        self.outcomes = outcomes
        self.time = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
        self.restarts = 0
        self.restart()

    def restart(self) -> None:
        """A new operator that remembers nothing and sees everything that is there."""
        self.controller = Controller(self.cluster, Settings(), lambda: self.time)
        self.cluster.listener = self.controller
        for body in list(self.cluster.migrations.values()):
            self.controller.on_migration(body)

    async def look(self, key: Key) -> None:
        """One reconcile; a crash is followed by a restart, a conflict by another look."""
        for _ in range(ROUNDS):
            try:
                return await self.controller.reconcile(key)
            except (Conflict, NotFound):
                continue
            except Crash:
                self.restarts += 1
                self.restart()
        raise AssertionError("it conflicts for ever")

    async def finish(self, key: Key) -> None:
        """Let Jobs run and time pass until nothing is left to do."""
        for _ in range(ROUNDS):
            if key not in self.cluster.migrations:
                return
            if self.is_at_rest(key):
                return
            await self.look(key)
            self.play_jobs()
            self.time += timedelta(seconds=1)
        raise AssertionError(f"not at rest: {self.cluster.migration(key).status}")

    def play_jobs(self) -> None:
        """Every Job that runs ends."""
        for job in self.cluster.active_jobs():
            self.cluster.start_pod(job)
            self.cluster.finish(job, self.outcomes(request_of(self.cluster, job)))

    def is_at_rest(self, key: Key) -> bool:
        """Whether the operator would leave it alone."""
        return is_at_rest(parse(self.cluster.migrations[key]), self.time)
