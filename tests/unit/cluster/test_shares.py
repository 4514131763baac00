"""Places that are shared: how long they are kept, who gives one up, and that nobody does without need."""

import asyncio

import pytest

from headway_operator.cluster.shares import Shares
from support.virtual_time import in_virtual_time

SECONDS = 10.0


class Crowd:
    """Everybody wants a place for ever, and comes again when it was given up; `log` tells who had one from when."""

    def __init__(self, shares: Shares, count: int) -> None:
        self.shares = shares
        self.log: list[tuple[int, float]] = []
        self.tasks = [asyncio.create_task(self._one(number)) for number in range(count)]

    async def _one(self, number: int) -> None:
        while True:
            try:
                async with self.shares.place():
                    self.log.append((number, asyncio.get_running_loop().time()))
                    await asyncio.Event().wait()
            except TimeoutError:
                continue

    async def after(self, seconds: float) -> list[tuple[int, float]]:
        await asyncio.sleep(seconds)
        assert self.shares.held <= 2
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert self.shares.held == 0
        return self.log


@in_virtual_time
async def test_nobody_gives_a_place_up_while_there_is_room() -> None:
    log = await Crowd(Shares(2, SECONDS), 2).after(3600)
    assert [number for number, _ in log] == [0, 1]


@in_virtual_time
async def test_everybody_has_a_place_in_turn_and_for_as_long() -> None:
    log = await Crowd(Shares(2, SECONDS), 5).after(60)
    assert [number for number, _ in log[:10]] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    since = dict(log[:5])
    for number, again in log[5:10]:
        assert again - since[number] >= SECONDS


@in_virtual_time
async def test_for_one_that_waits_one_gives_way_and_not_more() -> None:
    log = await Crowd(Shares(2, SECONDS), 3).after(100)
    assert len(log) <= 2 + 100 / SECONDS


@in_virtual_time
async def test_a_place_that_is_left_goes_to_the_next_at_once() -> None:
    shares = Shares(1, SECONDS)
    crowd = Crowd(shares, 2)
    await asyncio.sleep(1)
    crowd.tasks[0].cancel()
    assert await crowd.after(1) == [(0, 0.0), (1, 1.0)]


@in_virtual_time
async def test_who_has_just_come_to_a_place_keeps_it_however_long_others_wait() -> None:
    crowd = Crowd(Shares(1, SECONDS), 3)
    await asyncio.sleep(SECONDS - 1)
    crowd.tasks[0].cancel()
    (_, second, third) = await crowd.after(2 * SECONDS)
    assert second == (1, SECONDS - 1)
    assert third[1] >= second[1] + SECONDS


@in_virtual_time
async def test_an_error_inside_comes_out_as_it_is() -> None:
    shares = Shares(1, SECONDS)
    with pytest.raises(ZeroDivisionError):
        async with shares.place():
            raise ZeroDivisionError
    async with shares.place():
        assert shares.held == 1
