"""The loop with its workers: waking, going on after errors, resync, and what it leaves alone."""

import pytest

from headway_operator.cluster.interface import Key, Unavailable
from headway_operator.controller import queue
from support.driver import all_goes_well, request_of
from support.fake_cluster import FakeCluster, a_spec
from support.virtual_time import in_virtual_time
from support.working import running, until


def play(cluster: FakeCluster) -> None:
    for job in cluster.active_jobs():
        cluster.start_pod(job)
        cluster.finish(job, all_goes_well(request_of(cluster, job)))


@in_virtual_time
async def test_events_alone_take_a_resource_to_its_end() -> None:
    cluster = FakeCluster()
    async with running(cluster) as controller:
        key = cluster.add("shop", a_spec("main", "audit"))
        for number in range(3):
            await until(lambda: len(cluster.created_jobs) > number)  # noqa: B023
            play(cluster)
        await until(lambda: cluster.condition(key, "Ready")[0] == "True")
        await until(lambda: not controller.is_busy(key))
        calls = len(cluster.calls)
        for job in cluster.jobs.values():
            controller.on_owned(job)
        controller.on_migration(cluster.migrations[key])
        assert len(controller._queue) == 0
        assert len(cluster.calls) == calls


async def test_an_error_of_the_cluster_is_tried_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "FIRST_PAUSE_SECONDS", 0.01)
    cluster = FakeCluster()
    errors = iter([Unavailable("away"), RuntimeError("a defect")])

    def fail(call: str) -> None:
        if error := next(errors, None):
            raise error

    cluster.before_write = fail
    async with running(cluster):
        cluster.add("shop", a_spec("main"))
        await until(lambda: cluster.created_jobs)
    assert "away" in caplog.text
    assert "a defect" in caplog.text


async def test_a_resource_that_no_watch_told_of_is_found_by_the_resync() -> None:
    cluster = FakeCluster()
    cluster.add("shop", a_spec("main"))
    async with running(cluster, resync_seconds=0):
        await until(lambda: cluster.created_jobs)


async def test_a_resource_that_is_gone_is_forgotten() -> None:
    cluster = FakeCluster()
    async with running(cluster) as controller:
        key = Key("shop", "gone")
        controller.wake(key)
        await until(lambda: not controller.is_busy(key))
        assert cluster.calls == ["get_migration"]


async def test_an_edit_while_it_is_looked_at_is_looked_at_after_that() -> None:
    cluster = FakeCluster()
    edited = False

    def edit(call: str) -> None:
        nonlocal edited
        if call == "create_job" and not edited:
            edited = True
            cluster.edit(Key("shop", "shop"), image="registry.example.com/shop:2")

    cluster.before_write = edit
    async with running(cluster):
        key = cluster.add("shop", a_spec("main"))
        await until(lambda: cluster.migration(key).status.observed_generation == 2)


async def test_a_rest_after_the_end_is_left_for_a_new_token() -> None:
    cluster = FakeCluster()
    async with running(cluster) as controller:
        key = cluster.add("shop", a_spec("main", plan={"mode": "Never"}))
        await until(lambda: cluster.created_jobs)
        play(cluster)
        await until(lambda: not controller.is_busy(key))
        cluster.annotate(key, retry="1")
        await until(lambda: len(cluster.created_jobs) == 2)


async def test_a_defect_of_the_planner_hides_no_resource(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("a defect")

    monkeypatch.setattr("headway_operator.controller.loop.is_at_rest", broken)
    cluster = FakeCluster()
    async with running(cluster):
        cluster.add("shop", a_spec("main"), generation=2)
        await until(lambda: cluster.created_jobs)
    assert "this is a defect of the operator" in caplog.text
