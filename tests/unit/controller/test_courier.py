"""Messages on their way: beside the looks, in order, never twice at once, not forgotten before they are written."""

from __future__ import annotations

import asyncio

import pytest

from headway_operator.api.hooks import HookStatus, HookType, Point, Result
from headway_operator.cluster.interface import Key
from headway_operator.controller import courier
from headway_operator.controller.clock import utc_now
from headway_operator.controller.courier import Courier, NoSender
from headway_operator.controller.loop import Controller
from headway_operator.planner.deliveries import Answer, Answered, Delivery, HookAnswer
from headway_operator.planner.outbox import Batch, Letter
from headway_operator.settings import Settings
from support.driver import all_goes_well, request_of
from support.fake_cluster import FakeCluster, a_spec
from support.hooked import BROKEN, NOT_YET, YES
from support.virtual_time import in_virtual_time
from support.working import until

KEY = Key("shop", "shop")


class Slow:
    """Each message waits until it is let through; ``answers`` are by id."""

    def __init__(self, **answers: Answered) -> None:
        self.answers = answers
        self.begun: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    async def send(self, delivery: Delivery) -> Answered:
        self.begun.append(delivery.id)
        await self.gates.setdefault(delivery.id, asyncio.Event()).wait()
        return self.answers.get(delivery.id, YES)

    def let(self, name: str) -> None:
        self.gates.setdefault(name, asyncio.Event()).set()


def a_message(name: str, hook: str = "chat", subject: str = "r/main") -> Delivery:
    return Delivery(name, hook, HookType.NOTIFY, Point.AFTER_REVISION, "e", "s", subject, {}, "now")


def a_batch(*names: str, lane: str = "chat") -> Batch:
    return Batch(lane, tuple(Letter(a_message(name), 1) for name in names))


def written(*names: str, attempts: int = 0) -> tuple[HookStatus, ...]:
    return tuple(
        HookStatus("chat", HookType.NOTIFY, Point.AFTER_REVISION, Result.PENDING, name, attempts=attempts)
        for name in names
    )


def made(sender: object) -> tuple[Courier, list[bool]]:
    woken: list[bool] = []
    return Courier(sender, lambda key, is_awaited: woken.append(is_awaited)), woken  # type: ignore[arg-type]


async def test_the_next_message_goes_when_the_one_before_has_arrived() -> None:
    sender = Slow()
    carrier, woken = made(sender)
    carrier.carry(KEY, (a_batch("a", "b"),), written("a", "b"))
    await until(lambda: sender.begun == ["a"])
    sender.let("a")
    await until(lambda: sender.begun == ["a", "b"])
    sender.let("b")
    await until(lambda: woken == [False, True])
    assert {answer.id for answer in carrier.answers(KEY)} == {"a", "b"}


async def test_a_message_that_does_not_arrive_keeps_the_others_back() -> None:
    sender = Slow(a=BROKEN)
    carrier, woken = made(sender)
    sender.let("a")
    carrier.carry(KEY, (a_batch("a", "b"),), written("a", "b"))
    await until(lambda: woken == [True])
    assert sender.begun == ["a"]
    assert carrier.answers(KEY) == (HookAnswer("a", 1, BROKEN),)


async def test_what_is_under_way_or_answered_is_not_sent_again() -> None:
    sender = Slow()
    carrier, woken = made(sender)
    for _ in range(3):
        carrier.carry(KEY, (a_batch("a"),), written("a"))
    await until(lambda: sender.begun)
    sender.let("a")
    await until(lambda: woken)
    carrier.carry(KEY, (a_batch("a"),), written("a"))
    await asyncio.sleep(0)
    assert sender.begun == ["a"]


async def test_an_answer_is_kept_until_the_status_has_it() -> None:
    sender = Slow()
    carrier, woken = made(sender)
    sender.let("a")
    carrier.carry(KEY, (a_batch("a"),), written("a"))
    await until(lambda: woken)
    carrier.carry(KEY, (), written("a"))
    assert carrier.answers(KEY)
    carrier.carry(KEY, (), written("a", attempts=1))
    assert carrier.answers(KEY) == ()


async def test_lanes_do_not_wait_for_each_other() -> None:
    sender = Slow()
    carrier, woken = made(sender)
    carrier.carry(KEY, (a_batch("a"), a_batch("b", lane="b")), written("a", "b"))
    await until(lambda: sorted(sender.begun) == ["a", "b"])
    sender.let("b")
    await until(lambda: woken == [True])


async def test_a_defect_of_the_sender_is_an_error_like_others(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        async def send(self, delivery: Delivery) -> Answered:
            raise RuntimeError("oh")

    carrier, woken = made(Broken())
    carrier.carry(KEY, (a_batch("a"),), written("a"))
    await until(lambda: woken)
    assert carrier.answers(KEY)[0].answered.answer is Answer.ERROR
    assert "defect" in caplog.text


async def test_without_a_sender_nothing_is_sent() -> None:
    assert (await NoSender().send(a_message("a"))).answer is Answer.FORBIDDEN


async def test_a_throttle_is_asked_again_and_again_until_nobody_wants_to_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courier, "POLL_SECONDS", 0.0)
    asked = 0

    class Throttle:
        async def send(self, delivery: Delivery) -> Answered:
            nonlocal asked
            asked += 1
            return NOT_YET

    carrier, woken = made(Throttle())
    carrier.ask(KEY, (a_message("q", "load"),))
    await until(lambda: asked > 3)
    assert carrier.polled(KEY)[0].answered == NOT_YET
    assert woken == [True], "the same answer is no news"
    carrier.ask(KEY, ())
    assert carrier.polled(KEY) == ()
    seen = asked
    for _ in range(5):
        await asyncio.sleep(0)
    assert asked <= seen + 1


async def test_what_is_forgotten_or_closed_ends() -> None:
    sender = Slow()
    carrier, _ = made(sender)
    carrier.carry(KEY, (a_batch("a"),), written("a"))
    await until(lambda: sender.begun)
    carrier.forget(KEY)
    carrier.carry(KEY, (a_batch("a"),), written("a"))
    await until(lambda: sender.begun == ["a", "a"])
    await carrier.close()


HOOK = {"name": "chat", "type": "Notify", "points": ["OnReady"], "url": "https://x"}
GATE = {"name": "window", "type": "Gate", "points": ["BeforeMigration"], "url": "https://x"}


@in_virtual_time
async def test_a_receiver_that_does_not_answer_keeps_no_other_resource_waiting() -> None:
    class Silent:
        asked = 0

        async def send(self, delivery: Delivery) -> Answered:
            self.asked += 1
            await asyncio.Event().wait()
            raise AssertionError

    silent = Silent()
    cluster = FakeCluster()
    controller = Controller(cluster, Settings(workers=1), utc_now, sender=silent)
    cluster.listener = controller
    task = asyncio.create_task(controller.run())
    held = cluster.add("held", a_spec("main", hooks=[GATE]))
    free = cluster.add("free", a_spec("main"))

    def play() -> bool:
        for job in cluster.active_jobs():
            cluster.start_pod(job)
            cluster.finish(job, all_goes_well(request_of(cluster, job)))
        return cluster.condition(free, "Ready")[0] == "True" and bool(silent.asked)

    await until(play)
    assert cluster.condition(held, "Reconciling") == ("True", "WaitingForHook")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@in_virtual_time
async def test_a_message_costs_one_more_status_write_and_the_resource_comes_to_rest() -> None:
    class Quick:
        async def send(self, delivery: Delivery) -> Answered:
            return YES

    counts = []
    for hooks in ([], [HOOK]):
        cluster = FakeCluster()
        controller = Controller(cluster, Settings(), utc_now, sender=Quick())
        cluster.listener = controller
        task = asyncio.create_task(controller.run())
        key = cluster.add("shop", a_spec("main", hooks=hooks))

        def play() -> bool:
            for job in cluster.active_jobs():  # noqa: B023
                cluster.start_pod(job)  # noqa: B023
                cluster.finish(job, all_goes_well(request_of(cluster, job)))  # noqa: B023
            ready = cluster.condition(key, "Ready")[0] == "True"  # noqa: B023
            return ready and not controller.is_busy(key)  # noqa: B023

        await until(play)
        counts.append(cluster.calls.count("apply_status"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert counts[1] <= counts[0] + 1, "the intent is part of the write that says so, the result is one more"
