"""A pod that cannot start is said at once, by its own reason, and nothing is started in its place."""

from datetime import timedelta

import pytest

from headway_operator.cluster.interface import Key
from headway_operator.controller.sightings import A_LONG_WHILE, A_WHILE, Sightings
from headway_operator.planner.plan import SAFETY
from headway_operator.planner.retries import PATIENCE
from support.builders import NOW, a_job, a_migration
from support.driver import Driver
from support.fake_cluster import FakeCluster, a_spec


@pytest.mark.parametrize(
    ("word", "message", "reason"),
    [
        ("ImagePullBackOff", 'Back-off pulling image "shop:1"', "ImageNotPulled"),
        ("CreateContainerConfigError", 'secret "shop-main" not found', "SecretNotFound"),
        (
            "CreateContainerConfigError",
            "container has runAsNonRoot and image will run as root",
            "ImageRunsAsRoot",
        ),
        ("CreateContainerError", "context deadline exceeded", "ContainerNotCreated"),
        ("CreateContainerError", "", "ContainerNotCreated"),
        ("RunContainerError", "cgroup: no space left on device", "ContainerNotCreated"),
        (
            "CreateContainerError",
            "container create failed: executable file `/app/python` not found in $PATH: No such file or directory",
            "InterpreterNotFound",
        ),
    ],
)
async def test_what_keeps_a_pod_from_starting_is_the_reason(word: str, message: str, reason: str) -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    (job,) = cluster.created_jobs
    cluster.pod_waits(job, word, message)
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", reason)
    found = cluster.migration(key).status.condition("Ready")
    assert found is not None
    assert message in found.message
    if word in ("CreateContainerError", "RunContainerError"):
        assert f" {word}" in found.message
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")
    assert cluster.created_jobs[0] == job


SECOND = timedelta(seconds=1)


async def test_a_job_whose_pod_cannot_be_created_is_told_of_and_given_up_in_the_end() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    (job,) = cluster.created_jobs
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", "Planning")
    driver.time += A_WHILE
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", "PodNotCreated")
    found = cluster.migration(key).status.condition("Ready")
    assert found is not None
    assert f"kubectl describe job {job} says why" in found.message
    assert "serviceAccountName" in found.message
    driver.time += PATIENCE - A_WHILE - SECOND
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", "PodNotCreated")
    driver.time += SECOND
    await driver.look(key)
    assert cluster.condition(key, "Stalled") == ("True", "PodNotCreated")
    assert job not in cluster.active_jobs()


@pytest.mark.parametrize("word", ["PodInitializing", "ContainerCreating", "NewWord"])
async def test_a_pod_that_does_not_start_is_told_of_after_minutes_and_waited_for(word: str) -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    (job,) = cluster.created_jobs
    cluster.pod_waits(job, word)
    await driver.look(key)
    driver.time += A_LONG_WHILE - SECOND
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", "Planning")
    driver.time += SECOND
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", "PodNotStarted")
    found = cluster.migration(key).status.condition("Ready")
    assert found is not None
    assert f"kubectl describe pod {job}-pod says why" in found.message
    assert ("NewWord" in found.message) == (word == "NewWord")
    driver.time += 3 * PATIENCE
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", "PodNotStarted")
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")
    assert cluster.created_jobs[0] == job


@pytest.mark.parametrize(
    ("word", "reason"), [("Unschedulable", "PodNotScheduled"), ("SchedulingGated", "PodNotStarted")]
)
async def test_what_comes_after_a_long_wait_for_a_node_has_its_own_time(word: str, reason: str) -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    (job,) = cluster.created_jobs

    async def waits(word: str) -> tuple[str, str]:
        if word in ("Unschedulable", "SchedulingGated"):
            cluster.pod_is_not_bound(job, word)
        else:
            cluster.pod_waits(job, word)
        await driver.look(key)
        return cluster.condition(key, "Reconciling")

    assert await waits(word) == ("True", reason)
    driver.time += 3 * PATIENCE
    assert await waits(word) == ("True", reason)
    assert await waits("ContainerCreating") == ("True", "Planning")
    driver.time += A_LONG_WHILE - SECOND
    assert await waits("ErrImagePull") == ("True", "ImageNotPulled")
    driver.time += PATIENCE - SECOND
    assert await waits("ImagePullBackOff") == ("True", "ImageNotPulled")
    driver.time += SECOND
    await waits("ImagePullBackOff")
    assert cluster.condition(key, "Stalled") == ("True", "ImageNotPulled")


async def test_a_pod_that_is_created_late_is_no_failure() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    for _ in range(3):
        driver.time += A_WHILE
        await driver.look(key)
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")


async def test_a_suspended_job_is_to_have_no_pod() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    (job,) = cluster.created_jobs
    cluster.jobs[job]["spec"]["suspend"] = True
    for _ in range(3):
        await driver.look(key)
        driver.time += PATIENCE
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", "Planning")
    assert job in cluster.active_jobs()


def test_the_first_look_after_a_job_was_created_comes_in_time_to_tell_that_it_lacks_its_pod() -> None:
    assert SAFETY <= A_WHILE


def test_after_a_restart_the_patience_begins_again() -> None:
    key, job = Key("shops", "shop"), a_job(a_migration(), pod=None)
    sightings = Sightings()
    sightings.dated(key, (job,), NOW)
    (dated,) = sightings.dated(key, (job,), NOW + PATIENCE)
    assert dated.lacks_pod_since == NOW
    (anew,) = Sightings().dated(key, (job,), NOW + PATIENCE)
    assert anew.lacks_pod_since is None
