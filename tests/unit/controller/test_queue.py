"""The work queue: once per key, one at a time, and back after a pause."""

import asyncio

from headway_operator.controller.queue import WorkQueue


async def test_a_key_waits_only_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_added_while_it_is_worked_on_comes_again_after_that() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    await queue.get()
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await queue.get() == "a"


async def test_the_shortest_delay_wins() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a", 600)
    queue.add("a", 0.001)
    queue.add("a", 600)
    async with asyncio.timeout(10):
        assert await queue.get() == "a"


async def test_a_delayed_key_that_is_added_at_once_does_not_come_twice() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a", 0.001)
    queue.add("a")
    assert await queue.get() == "a"
    queue.done("a")
    assert not queue._timers


async def test_a_first_conflict_comes_again_at_once_and_the_next_ones_after_growing_pauses() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.retry("a", at_once=True)
    assert await queue.get() == "a"
    queue.done("a")
    pauses = []
    for _ in range(12):
        queue.retry("a", at_once=True)
        timer = queue._timers["a"]
        pauses.append(timer.when() - asyncio.get_running_loop().time())
        queue._cancel_timer("a")
    assert pauses == sorted(pauses) or max(pauses) > 30
    assert max(pauses) <= 60
    queue.succeeded("a")
    queue.retry("a", at_once=True)
    assert len(queue) == 1


async def test_what_is_forgotten_does_not_come() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a", 600)
    queue.forget("a")
    assert not queue._timers
