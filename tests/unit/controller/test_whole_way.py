"""The whole way from a resource to its end, over a cluster in memory."""

from headway_operator.api.status import DatabasePhase
from headway_operator.controller.interest import is_at_rest
from support.driver import Driver, a_revision_fails
from support.fake_cluster import FakeCluster, a_spec


async def test_databases_go_to_head_in_order_with_one_job_each() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main", "audit"))
    await driver.finish(key)
    stages = [cluster.jobs[name]["metadata"]["labels"] for name in cluster.created_jobs]
    assert [(one["headway.dev/stage"], one.get("headway.dev/database")) for one in stages] == [
        ("Plan", None),
        ("Migrate", "main"),
        ("Migrate", "audit"),
    ]
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")
    assert not cluster.migration(key).finalizers


async def test_a_finished_resource_costs_no_request_after_a_restart() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.finish(key)
    cluster.calls.clear()
    driver.restart()
    assert not driver.controller.is_busy(key)
    for job in cluster.jobs.values():
        driver.controller.on_owned(job)
    assert not driver.controller.is_busy(key)
    assert cluster.calls == []


async def test_the_first_job_needs_one_request() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    assert cluster.calls[0] == "create_job"
    assert cluster.calls[-1] == "apply_status"


async def test_what_the_operator_wrote_itself_does_not_wake_it() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    driver.controller.on_migration(cluster.migrations[key])
    assert len(driver.controller._queue) == 1, "only the creation itself waits, which nobody has taken yet"


async def test_a_database_costs_at_most_three_status_writes() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("a", "b", "c"))
    await driver.finish(key)
    assert cluster.calls.count("apply_status") <= 9


async def test_a_failure_stops_what_comes_after_it_and_says_what_to_do() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster, a_revision_fails("main"))
    key = cluster.add("shop", a_spec("main", "audit"))
    await driver.finish(key)
    status = cluster.migration(key).status
    assert cluster.condition(key, "Ready") == ("False", "RevisionFailed")
    assert [one.phase for one in status.databases] == [DatabasePhase.FAILED, DatabasePhase.SKIPPED]
    ready = status.condition("Ready")
    assert ready is not None
    assert "Correct the revision" in ready.message


async def test_a_status_emptied_by_hand_is_found_out_again_without_a_new_job() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.finish(key)
    jobs = list(cluster.created_jobs)
    cluster.empty_status(key)
    await driver.finish(key)
    assert cluster.created_jobs == jobs
    assert cluster.condition(key, "Ready")[0] == "True"


async def test_a_job_of_the_same_name_that_is_not_ours_is_reported_and_left_alone() -> None:
    first = FakeCluster()
    await Driver(first).look(first.add("shop", a_spec("main")))
    (name,) = first.created_jobs
    cluster = FakeCluster(jobs={name: {"metadata": {"name": name, "labels": {}}}})
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    assert cluster.condition(key, "Stalled") == ("True", "JobNameConflict")
    message = cluster.migration(key).status.condition("Stalled")
    assert message is not None
    assert name in message.message
    assert not driver.is_at_rest(key), "it is looked at again, for when that Job is gone"
    del cluster.jobs[name]
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")


async def test_a_resource_deleted_during_a_revision_waits_for_a_safe_point() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main", plan={"mode": "Never"}))
    await driver.look(key)
    (job,) = cluster.created_jobs
    cluster.start_pod(job)
    cluster.delete(key)
    await driver.look(key)
    assert key in cluster.migrations
    assert cluster.wish_of(job).stop
    driver.play_jobs()
    await driver.look(key)
    assert key not in cluster.migrations


async def test_a_new_specification_stops_the_job_of_the_old_one_first() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main", plan={"mode": "Never"}))
    await driver.look(key)
    (old,) = cluster.created_jobs
    cluster.start_pod(old)
    cluster.edit(key, image="registry.example.com/shop:2")
    await driver.look(key)
    assert cluster.wish_of(old).stop
    assert cluster.created_jobs == [old]
    await driver.finish(key)
    new = cluster.created_jobs[-1]
    assert cluster.jobs[new]["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":2")
    assert cluster.migration(key).status.history[-1].result == "Superseded"


async def test_each_event_is_told_once_and_is_about_the_resource() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.finish(key)
    reasons = sorted(event["reason"] for event in cluster.events.values())
    assert reasons == ["DatabaseSucceeded", "JobStarted", "Migrating", "Planning", "Succeeded"]
    assert {event["regarding"]["name"] for event in cluster.events.values()} == {"shop"}


async def test_a_resource_held_by_suspend_is_at_rest() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main", suspend=True))
    await driver.look(key)
    assert cluster.created_jobs == []
    assert is_at_rest(cluster.migration(key), driver.time)
    cluster.edit(key, suspend=False)
    await driver.finish(key)
    assert cluster.condition(key, "Ready")[0] == "True"
