"""Clocks that differ: the API server stamps what it keeps, the operator waits by a clock of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from headway_contract.request import Mode, RunRequest
from headway_contract.result import Failure, Outcome, RunResult
from headway_operator.api.status import DatabasePhase
from headway_operator.planner.explain import moment
from headway_operator.planner.retries import PATIENCE
from support.driver import Driver, all_goes_well
from support.fake_cluster import FakeCluster, a_spec

APART = (timedelta(hours=-5), timedelta(minutes=-1), timedelta(minutes=1), timedelta(hours=5))
"""How far the operator's clock is ahead of the API server's."""
PAUSE = timedelta(seconds=10)
SECOND = timedelta(seconds=1)


def a_driver(ahead: timedelta) -> tuple[FakeCluster, Driver]:
    cluster = FakeCluster()
    driver = Driver(cluster)
    driver.time += ahead
    driver.restart()
    return cluster, driver


@pytest.mark.parametrize("ahead", APART, ids=str)
@pytest.mark.parametrize("stage", [Mode.PLAN, Mode.MIGRATE])
async def test_the_pause_before_a_retry_is_neither_lost_nor_prolonged(stage: Mode, ahead: timedelta) -> None:
    failed: list[RunRequest] = []

    def once(request: RunRequest) -> RunResult:
        if request.mode is not stage or failed:
            return all_goes_well(request)
        failed.append(request)
        lost = Failure("ConnectionLost", "the server closed the connection")
        return RunResult(Outcome.FAILED, request.run, request.databases[0].name, failure=lost)

    cluster, driver = a_driver(ahead)
    driver.outcomes = once
    key = cluster.add("shop", a_spec("main", retry={"limit": 1, "backoffSeconds": 10}))
    while not failed:
        await driver.look(key)
        driver.play_jobs()
    await driver.look(key)
    status = cluster.migration(key).status
    waiting = status.plan if stage is Mode.PLAN else status.databases[0]
    assert waiting is not None
    due = moment(waiting.retry_time)
    assert due is not None
    assert PAUSE <= due - driver.time <= PAUSE * 1.2
    driver.restart()
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")
    attempts = [
        cluster.jobs[name]["metadata"]["labels"]["headway.dev/attempt"] for name in cluster.created_jobs
    ]
    assert sorted(attempts) == ["1", "1", "2"]


@pytest.mark.parametrize("ahead", APART, ids=str)
async def test_the_patience_with_a_pod_that_cannot_start_is_neither_lost_nor_prolonged(
    ahead: timedelta,
) -> None:
    cluster, driver = a_driver(ahead)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    (job,) = cluster.created_jobs
    for word in ("ErrImagePull", "ContainerCreating", "ImagePullBackOff"):
        cluster.pod_waits(job, word, "no such tag")
        await driver.look(key)
        driver.time += (PATIENCE - SECOND) / 3
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", "ImageNotPulled")
    driver.time += SECOND
    await driver.look(key)
    assert cluster.condition(key, "Stalled") == ("True", "ImageNotPulled")


@pytest.mark.parametrize("ahead", APART, ids=str)
async def test_databases_are_migrated_once_each_and_an_edit_is_the_newer_run(ahead: timedelta) -> None:
    cluster, driver = a_driver(ahead)
    key = cluster.add("shop", a_spec("main", "audit"))
    await driver.finish(key)
    cluster.edit(key, image="registry.example.com/shop:2")
    await driver.look(key)
    driver.time -= 2 * ahead
    driver.restart()
    await driver.finish(key)
    status = cluster.migration(key).status
    assert [one.phase for one in status.databases] == [DatabasePhase.SUCCEEDED] * 2
    assert [entry.result for entry in status.history] == ["Succeeded", "Succeeded"]
    assert len(cluster.created_jobs) == 6, "a plan and two databases for each image"
