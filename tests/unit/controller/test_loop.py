"""The loop with its workers: waking, going on after errors, resync, and what it leaves alone."""

import asyncio
from collections.abc import Sequence

import pytest

from headway_operator.api.migration import Migration
from headway_operator.cluster.interface import Body, Key, NotFound, Unavailable
from headway_operator.controller import queue
from headway_operator.controller.witness import Nobody
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


async def test_what_waits_for_a_worker_is_counted() -> None:
    class Slow(FakeCluster):
        answers = asyncio.Event()

        async def get_migration(self, key: Key) -> Body:
            self.calls.append("get_migration")
            await self.answers.wait()
            raise NotFound(key.name)

    cluster = Slow()
    async with running(cluster, workers=2) as controller:
        for number in range(7):
            controller.wake(Key("shop", f"shop-{number}"))
        assert controller.waiting == 7
        await until(lambda: len(cluster.calls) == 2)
        assert controller.waiting == 5
        cluster.answers.set()
        await until(lambda: controller.waiting == 0)


class Roll(Nobody):
    """The names that the witness knows of."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.left: list[str] = []

    def saw(self, migration: Migration) -> None:
        self.names.add(migration.name)

    def gone(self, namespace: str, name: str) -> None:
        self.names.discard(name)
        self.left.append(name)


async def test_what_was_deleted_while_no_watch_looked_is_gone_with_the_resync() -> None:
    class OnlyLists(FakeCluster):
        async def get_migration(self, key: Key) -> Body:
            if key not in self.migrations:
                raise Unavailable("no look tells of it")
            return await super().get_migration(key)

    cluster, roll = OnlyLists(), Roll()
    async with running(cluster, roll, resync_seconds=0) as controller:
        key, _ = cluster.add("shop", a_spec("main", suspend=True)), cluster.add("other", a_spec("main"))
        await until(lambda: not controller.is_busy(key) and "other" in roll.names)
        assert "shop" in roll.names
        del cluster.migrations[key]
        await until(lambda: roll.names == {"other"})
        assert set(roll.left) == {"shop"}


async def test_what_a_look_does_not_find_any_more_is_gone() -> None:
    cluster, roll = FakeCluster(), Roll()
    async with running(cluster, roll) as controller:
        key = cluster.add("shop", a_spec("main", suspend=True))
        await until(lambda: not controller.is_busy(key))
        assert roll.names == {"shop"}
        del cluster.migrations[key]
        controller.wake(key)
        await until(lambda: not roll.names)


async def test_what_is_created_while_the_list_is_on_its_way_is_not_gone() -> None:
    class SlowList(FakeCluster):
        async def list_migrations(self) -> Sequence[Body]:
            found = await super().list_migrations()
            if not self.migrations:
                self.add("shop", a_spec("main", suspend=True))
            return found

    cluster, roll = SlowList(), Roll()
    async with running(cluster, roll, resync_seconds=0):
        await until(lambda: cluster.calls.count("list_migrations") > 3)
        assert roll.left == []


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
