"""A database whose Job the API server refuses keeps its place among maxParallel; those that have one go on."""

from datetime import timedelta

from headway_contract.request import Mode, RunRequest
from headway_contract.result import Failure, Outcome, RunResult
from headway_operator.api import labels
from headway_operator.api.status import DatabasePhase
from headway_operator.cluster.interface import Key
from support.driver import Driver, all_goes_well
from support.fake_cluster import FakeCluster, a_spec

TWO_AT_ONCE = {"strategy": {"maxParallel": 2}}


def a_cluster_without_room_for(*databases: str) -> FakeCluster:
    return FakeCluster(quota=lambda marks: marks.get(labels.DATABASE) not in databases)


def phases(cluster: FakeCluster, key: Key) -> dict[str, DatabasePhase]:
    return {one.name: one.phase for one in cluster.migration(key).status.databases}


async def look_until_it_migrates(driver: Driver, key: Key) -> None:
    """The plan is made, and the look that reads it starts what it may."""
    await driver.look(key)
    driver.play_jobs()
    await driver.look(key)


async def test_what_goes_on_beside_a_refused_job_is_told() -> None:
    cluster = a_cluster_without_room_for("b")
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("a", "b", **TWO_AT_ONCE))
    await look_until_it_migrates(driver, key)
    assert phases(cluster, key) == {"a": DatabasePhase.MIGRATING, "b": DatabasePhase.PENDING}
    assert cluster.condition(key, "Reconciling") == ("True", "JobRefused")
    assert cluster.condition(key, "Stalled")[0] == "False"
    assert cluster.condition(key, "PlanReady") == ("True", "Planned")
    message = cluster.migration(key).status.condition("Reconciling").message
    assert message.startswith("b: The API server refuses the Job")
    assert "exceeded quota" in message
    assert cluster.migration(key).status.run is not None


async def test_a_refused_job_does_not_hold_up_the_next_attempt_of_another_database() -> None:
    def outcome(request: RunRequest) -> RunResult:
        if request.mode is Mode.PLAN or len(cluster.created_jobs) > 2:
            return all_goes_well(request)
        failure = Failure("DatabaseUnreachable", "connection refused")
        return RunResult(Outcome.FAILED, request.run, request.databases[0].name, failure=failure)

    cluster = a_cluster_without_room_for("b")
    driver = Driver(cluster, outcome)
    key = cluster.add("shop", a_spec("a", "b", **TWO_AT_ONCE))
    await look_until_it_migrates(driver, key)
    driver.play_jobs()
    await driver.look(key)
    first = cluster.migration(key).status.database("a")
    assert (first.phase, first.failures) == (DatabasePhase.WAITING, 1)
    driver.time += timedelta(seconds=5)
    await driver.look(key)
    assert cluster.migration(key).status.database("a").retry_time == first.retry_time
    driver.time += timedelta(seconds=10)
    await driver.look(key)
    driver.play_jobs()
    await driver.look(key)
    assert phases(cluster, key)["a"] is DatabasePhase.SUCCEEDED


async def test_the_run_fails_for_a_refused_job_once_nothing_else_goes_on_and_goes_on_itself() -> None:
    cluster = a_cluster_without_room_for("b")
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("a", "b", **TWO_AT_ONCE))
    await look_until_it_migrates(driver, key)
    driver.play_jobs()
    await driver.look(key)
    assert phases(cluster, key) == {"a": DatabasePhase.SUCCEEDED, "b": DatabasePhase.PENDING}
    assert cluster.condition(key, "Stalled") == ("True", "JobRefused")
    assert cluster.condition(key, "Ready") == ("False", "JobRefused")
    assert cluster.migration(key).status.run.completion_time is None
    assert not driver.is_at_rest(key)
    cluster.quota = lambda marks: True
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")


async def test_the_plan_is_told_by_the_look_whose_first_job_is_refused() -> None:
    cluster = a_cluster_without_room_for("main")
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await look_until_it_migrates(driver, key)
    status = cluster.migration(key).status
    assert (status.plan.revisions, bool(status.plan.completion_time)) == (2, True)
    assert [one.revision for one in status.database("main").pending] == ["a1", "b2"]
    assert cluster.condition(key, "Ready") == ("False", "JobRefused")


async def test_a_job_behind_a_refused_one_is_created_all_the_same() -> None:
    cluster = a_cluster_without_room_for("a")
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("a", "b", "c", **TWO_AT_ONCE))
    await look_until_it_migrates(driver, key)
    assert phases(cluster, key) == {
        "a": DatabasePhase.PENDING,
        "b": DatabasePhase.MIGRATING,
        "c": DatabasePhase.PENDING,
    }


async def test_several_refused_jobs_are_named() -> None:
    cluster = a_cluster_without_room_for("a", "b")
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("a", "b", **TWO_AT_ONCE))
    await look_until_it_migrates(driver, key)
    message = cluster.migration(key).status.condition("Stalled").message
    assert message.startswith("a: ")
    assert message.endswith("Not started either: b.")


async def test_a_new_run_whose_first_job_is_refused_leaves_what_is_known_of_the_one_before() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main", successfulRunsHistoryLimit=0, plan={"mode": "Never"}))
    await driver.finish(key)
    (old,) = cluster.jobs
    cluster.quota = lambda marks: False
    cluster.edit(key, image="registry.example.com/shop:2")
    await driver.look(key)
    assert cluster.condition(key, "Stalled") == ("True", "JobRefused")
    assert phases(cluster, key) == {"main": DatabasePhase.SUCCEEDED}
    assert list(cluster.jobs) == [old], "it may be all that tells of the run before"


async def test_jobs_that_the_history_lets_go_make_room_for_the_one_that_is_refused() -> None:
    cluster = FakeCluster(quota=lambda marks: len(cluster.jobs) < 3)
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("a", "b", **TWO_AT_ONCE, plan={"mode": "Never"}))
    await driver.finish(key)
    cluster.edit(key, image="registry.example.com/shop:2")
    await driver.look(key)
    driver.play_jobs()
    await driver.look(key)
    assert cluster.condition(key, "Ready") == ("False", "JobRefused")
    cluster.edit(key, successfulRunsHistoryLimit=0)
    await driver.look(key)
    assert len(cluster.jobs) == 1, "those of the run before are gone"
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")
