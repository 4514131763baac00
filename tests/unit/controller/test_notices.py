"""Notices of a runner's log become events: each once, also where a look fails or the operator restarts."""

import asyncio

import pytest

from headway_contract.events import Event, Heartbeat, Notice
from headway_contract.result import Failure, Outcome, RunResult
from headway_contract.wire import Envelope, to_line
from headway_operator.cluster.interface import Key, Unavailable
from headway_operator.controller import execute, progress
from headway_operator.planner.notices import MOST_NOTICES
from support.driver import Driver, all_goes_well, request_of
from support.fake_cluster import FakeCluster, a_spec
from support.working import running, until

INVALID = Notice("main", "The index public.i is INVALID.", warning=True)


def a_log(*told: Event) -> str:
    return "\n".join(to_line(Envelope(number, "", event)) for number, event in enumerate(told, 1))


def told_of(cluster: FakeCluster) -> list[tuple[str, str]]:
    """What `kubectl describe` shows of notices."""
    found = [one for one in cluster.events.values() if one["reason"] == "Notice"]
    return [(one["type"], one["note"]) for one in found]


async def with_a_log(*told: Event) -> tuple[FakeCluster, Driver, Key, str]:
    """A plan's pod runs and has told this, and the operator has read it."""
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    (job,) = cluster.created_jobs
    cluster.logs[f"{job}-pod"] = a_log(*told, Heartbeat())
    cluster.start_pod(job)
    await driver.look(key)
    await read(driver, key, len(told) + 1)
    return cluster, driver, key, job


async def read(driver: Driver, key: Key, lines: int) -> None:
    async with asyncio.timeout(20):
        while not [one for one in driver.controller._follower.progress_of(key) if one.sequence == lines]:
            await asyncio.sleep(0)


async def test_a_notice_of_the_log_is_an_event_while_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # Else the next write of progress, which has its turn two seconds later, is waited for.
    monkeypatch.setattr(progress, "SECONDS_PER_RESOURCE", 0.0)
    cluster = FakeCluster()
    async with running(cluster):
        cluster.add("shop", a_spec("main"))
        await until(lambda: cluster.created_jobs)
        (job,) = cluster.created_jobs
        cluster.logs[f"{job}-pod"] = a_log(INVALID)
        cluster.start_pod(job)
        await until(lambda: told_of(cluster))
    assert told_of(cluster) == [("Warning", "main: The index public.i is INVALID.")]


async def test_each_notice_is_posted_once_however_often_the_operator_looks() -> None:
    cluster, driver, key, _ = await with_a_log(INVALID, Notice("main", "Good to know."), INVALID)
    for _ in range(3):
        await driver.look(key)
    assert len(told_of(cluster)) == 2
    posted = cluster.calls.count("post_event")
    await driver.look(key)
    assert cluster.calls.count("post_event") == posted


async def test_what_was_told_last_is_posted_when_the_pod_has_ended() -> None:
    cluster, driver, key, job = await with_a_log(INVALID)
    cluster.finish(job, None)
    await driver.look(key)
    assert told_of(cluster) == [("Warning", "main: The index public.i is INVALID.")]


async def test_a_look_that_fails_before_it_has_told_loses_none() -> None:
    cluster, driver, key, job = await with_a_log(INVALID)
    cluster.finish(job, all_goes_well(request_of(cluster, job)))
    failures = iter([Unavailable("away")])

    def away_once(call: str) -> None:
        if call == "create_job" and (failure := next(failures, None)):
            raise failure

    cluster.before_write = away_once
    with pytest.raises(Unavailable):
        await driver.controller.reconcile(key)
    assert driver.controller.open_logs == 0, "nobody could read it once more"
    assert told_of(cluster) == []
    await driver.look(key)
    assert told_of(cluster) == [("Warning", "main: The index public.i is INVALID.")]


async def test_after_a_restart_the_same_notice_is_the_same_event() -> None:
    cluster, driver, key, _ = await with_a_log(INVALID)
    await driver.look(key)
    posted = cluster.calls.count("post_event")
    driver.restart()
    await driver.look(key)
    await read(driver, key, 2)
    await driver.look(key)
    assert cluster.calls.count("post_event") == posted + 1, "it is posted again"
    assert len(told_of(cluster)) == 1


async def test_a_log_full_of_notices_is_not_made_a_heap_of_events() -> None:
    many = [Notice("main", f"Notice {number}.") for number in range(200)]
    cluster, driver, key, _ = await with_a_log(*many)
    await driver.look(key)
    notes = [note for _, note in told_of(cluster)]
    assert len(notes) == MOST_NOTICES + 1
    assert notes[-1] == "there are further notices: headway logs shop"


async def test_a_notice_that_comes_again_and_again_leaves_room_for_others() -> None:
    cluster, driver, key, _ = await with_a_log(*[INVALID] * 50, Notice("main", "Good to know."))
    await driver.look(key)
    assert [note for _, note in told_of(cluster)] == [f"main: {INVALID.message}", "main: Good to know."]


async def test_an_event_that_cannot_be_posted_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    cluster, driver, key, _ = await with_a_log(INVALID)

    def no_events(call: str) -> None:
        if call == "post_event":
            raise Unavailable("no events today")

    cluster.before_write = no_events
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")
    assert "no events today" in caplog.text


async def test_a_name_in_the_wrong_encoding_holds_nothing_up() -> None:
    name = b"caf\xe9".decode(errors="surrogateescape")
    cluster, driver, key, job = await with_a_log(Notice("main", f"The file {name} is not read."))
    await driver.look(key)
    assert told_of(cluster) == [("Normal", "main: The file caf\ufffd is not read.")]
    cluster.finish(job, RunResult(Outcome.FAILED, "r1", failure=Failure("ProjectFailed", f"no {name} here")))
    await driver.look(key)
    found = cluster.migration(key).status.condition("Stalled")
    assert found is not None
    assert "no caf\ufffd here" in found.message


async def test_an_event_that_cannot_even_be_made_holds_up_no_status(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(execute, "event_for", broken)
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")
    assert "a defect" in caplog.text
