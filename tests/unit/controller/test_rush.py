"""Many new resources at once: first Jobs before reports, and no report waits for ever."""

import asyncio
from dataclasses import dataclass, field

import pytest

from headway_operator.cluster.interface import Body, Key
from headway_operator.controller import rush
from headway_operator.controller.rush import Rush
from support.fake_cluster import FakeCluster, a_spec
from support.virtual_time import in_virtual_time
from support.working import running, until

GAP, PATIENCE = rush.GAP_SECONDS, rush.PATIENCE_SECONDS


@pytest.fixture
def endless_rush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once two new resources have come, it stays a rush, however slow the machine is."""
    monkeypatch.setattr(rush, "GAP_SECONDS", 3600.0)
    monkeypatch.setattr(rush, "PATIENCE_SECONDS", 3600.0)


@dataclass
class HeldCluster(FakeCluster):
    """Every reading of a resource waits for its own gate; the gates are in the order of the readings."""

    gates: list[asyncio.Event] = field(default_factory=list)

    async def get_migration(self, key: Key) -> Body:
        self.gates.append(asyncio.Event())
        await self.gates[-1].wait()
        return await super().get_migration(key)


async def first_jobs_of(cluster: FakeCluster, *names: str) -> list[Key]:
    """Create them one after the other, each when the one before has its Job."""
    keys = []
    for name in names:
        number = len(cluster.created_jobs)
        keys.append(cluster.add(name, a_spec("main")))
        await until(lambda: len(cluster.created_jobs) > number)  # noqa: B023
    return keys


def reports(cluster: FakeCluster) -> int:
    return cluster.calls.count("apply_status")


def test_one_that_comes_alone_is_told_of_at_once() -> None:
    one = Rush()
    assert one.pause(since=0.0, now=0.0) == 0
    one.came(10.0)
    assert one.pause(since=10.0, now=10.0) == 0
    one.came(10.0 + GAP)
    assert one.pause(since=10.0, now=10.0 + GAP) == 0


def test_a_report_waits_until_no_new_one_has_come_for_a_while() -> None:
    one = Rush()
    one.came(10.0)
    one.came(10.1)
    assert one.pause(since=10.1, now=10.1) == pytest.approx(GAP)
    one.came(10.2)
    assert one.pause(since=10.1, now=10.1 + GAP) == pytest.approx(0.1)
    assert one.pause(since=10.1, now=10.2 + GAP) == 0


def test_a_report_waits_no_longer_than_its_patience() -> None:
    one = Rush()
    now = 10.0
    while now <= 10.0 + PATIENCE:
        one.came(now)
        now += 0.1
    assert one.pause(since=10.0, now=now) == 0
    assert one.pause(since=now - 0.1, now=now) > 0


@pytest.mark.usefixtures("endless_rush")
@in_virtual_time
async def test_first_jobs_are_created_before_anything_is_told() -> None:
    cluster = FakeCluster()
    async with running(cluster):
        await first_jobs_of(cluster, "first")
        await until(lambda: reports(cluster) == 1)
        told = list(cluster.events)
        await first_jobs_of(cluster, *(f"shop-{number}" for number in range(20)))
        assert len(cluster.created_jobs) == 21
        assert reports(cluster) == 1
        assert list(cluster.events) == told


@pytest.mark.usefixtures("endless_rush")
async def test_a_report_whose_turn_comes_in_a_rush_gives_it_away() -> None:
    cluster = HeldCluster()
    seen = [cluster.add(name, a_spec("main"), generation=2) for name in ("old", "older")]
    async with running(cluster, workers=1) as controller:
        controller.wake(seen[0])
        await until(lambda: len(cluster.gates) == 1)
        first = cluster.add("first", a_spec("main"))
        controller.wake(seen[1])
        cluster.gates[0].set()
        await until(lambda: len(cluster.gates) == 2)
        assert len(cluster.created_jobs) == 2, "the report of the first waits for the turn that the older has"
        cluster.add("shop", a_spec("main"))
        cluster.add("bank", a_spec("main"))
        cluster.gates[1].set()
        await until(lambda: len(cluster.created_jobs) == 5)
        assert cluster.migration(first).status.run is None


@in_virtual_time
async def test_all_are_told_of_once_the_rush_is_over() -> None:
    cluster = FakeCluster()
    async with running(cluster):
        keys = await first_jobs_of(cluster, *(f"shop-{number}" for number in range(20)))
        await until(lambda: all(cluster.condition(key, "Reconciling")[0] == "True" for key in keys))
    assert reports(cluster) == 20


@in_virtual_time
async def test_all_are_told_of_although_the_rush_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rush, "GAP_SECONDS", 3600.0)
    monkeypatch.setattr(rush, "PATIENCE_SECONDS", 0.1)
    cluster = FakeCluster()
    async with running(cluster):
        keys = await first_jobs_of(cluster, "shop", "bank", "farm")
        await until(lambda: all(cluster.condition(key, "Reconciling")[0] == "True" for key in keys))


@pytest.mark.usefixtures("endless_rush")
@in_virtual_time
async def test_only_the_report_of_a_first_look_waits() -> None:
    cluster = FakeCluster()
    async with running(cluster):
        (key,) = await first_jobs_of(cluster, "first")
        await until(lambda: reports(cluster) == 1)
        await first_jobs_of(cluster, "shop", "bank")
        cluster.annotate(key, paused="now")
        await until(lambda: cluster.condition(key, "Reconciling")[1] == "Paused")


@in_virtual_time
async def test_a_wish_that_comes_before_the_first_report_finds_the_job_that_was_created(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rush, "GAP_SECONDS", 3600.0)
    monkeypatch.setattr(rush, "PATIENCE_SECONDS", 0.5)
    cluster = FakeCluster()
    async with running(cluster):
        _, key = await first_jobs_of(cluster, "first", "shop")
        cluster.annotate(key, paused="now")
        await until(lambda: cluster.condition(key, "Reconciling")[1] == "Paused")
        assert not [job for job in cluster.active_jobs() if job.startswith("shop-")]
