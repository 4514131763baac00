"""Contenders for one Lease: never two that may write, whatever is slow, lost or asleep."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headway_operator.cluster.interface import Conflict, Unavailable
from headway_operator.controller.elector import Elector, LostLease, end_process_when_overdue
from headway_operator.planner.election import SHORTEST_PAUSE_SECONDS, Lease, Terms
from support.fix_depth import examples
from support.virtual_time import run_in_virtual_time

TERMS = Terms(15.0, 10.0, 2.0)


@dataclass
class Store:
    """A Lease as an API server keeps it."""

    lease: Lease | None = None
    count: int = 0

    def write(self, lease: Lease) -> Lease:
        if lease.version != ("" if self.lease is None else self.lease.version):
            raise Conflict("changed meanwhile")
        self.count += 1
        self.lease = replace(lease, version=str(self.count), renewed=str(self.count))
        return self.lease


@dataclass
class Leases:
    """The same store; `before` each call may wait or refuse, `after` it the answer may be lost."""

    store: Store
    before: Callable[[], Awaitable[None]]
    after: Callable[[], Awaitable[None]]

    async def read(self) -> Lease | None:
        await self.before()
        found = self.store.lease
        await self.after()
        return found

    async def write(self, lease: Lease) -> Lease:
        await self.before()
        written = self.store.write(lease)
        await self.after()
        return written


class Pause:
    """Awaited, it gives control back to whoever drives the coroutine, who may send an error into it."""

    def __await__(self) -> Generator[None, bool, None]:
        if (yield) is False:
            raise Unavailable("the answer was lost")


async def pause() -> None:
    await Pause()


@dataclass
class Contender:
    """An elector whose requests are driven step by step, with a clock of its own."""

    store: Store
    name: str
    time: Callable[[], float]
    offset: float
    elector: Elector = field(init=False)
    request: Coroutine[Any, Any, None] | None = None
    is_out: bool = False

    def __post_init__(self) -> None:
        clock = lambda: self.time() + self.offset  # noqa: E731
        self.elector = Elector(Leases(self.store, pause, pause), self.name, TERMS, clock)
        self.clock = clock

    def step(self, arrives: bool) -> None:
        """Begin a request, or bring the one that is under way to its next stop."""
        if self.is_out:
            return
        begins = self.request is None
        if begins:
            self.request = self.elector.attempt(self.clock())
        assert self.request is not None
        try:
            self.request.send(None if begins else arrives)
        except StopIteration:
            self.request = None
        except (Unavailable, Conflict):
            self.request = None
        except LostLease:
            self.is_out, self.request = True, None
            self.elector.leading.clear()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 2), st.sampled_from((True, True, True, False))),
        st.tuples(st.just(-1), st.floats(0.1, 20.0)),
    ),
    max_size=120,
)


@settings(max_examples=examples(300))
@given(STEPS, st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_never_two_may_write(steps: list[tuple[int, float]], offsets: list[float]) -> None:
    now = [1000.0]
    store = Store()
    contenders = [Contender(store, f"c{i}", lambda: now[0], offset) for i, offset in enumerate(offsets)]
    for who, what in steps:
        if who < 0:
            now[0] += what
        else:
            contenders[who].step(bool(what))
        assert sum(one.elector.may_write() for one in contenders) <= 1
    for one in contenders:
        if one.request is not None:
            one.request.close()


async def nothing() -> None:
    """Neither waits nor refuses."""


async def hangs() -> None:
    await asyncio.Event().wait()


SHORT = Terms(0.3, 0.2, 0.02)


async def test_a_lone_contender_leads_and_hands_over_when_it_is_told_to() -> None:
    store = Store()
    elector = Elector(Leases(store, nothing, nothing), "me", SHORT)
    running = asyncio.create_task(elector.run())
    await asyncio.wait_for(elector.leading.wait(), 5)
    assert elector.may_write()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await elector.release()
    assert store.lease is not None
    assert store.lease.holder == ""
    assert not elector.may_write()


async def refuses() -> None:
    raise Unavailable("no answer from the API server")


@pytest.mark.parametrize("fault", [refuses, hangs])
@given(st.floats(0.0, 60.0))
def test_who_cannot_renew_steps_down_before_the_lease_ends(
    fault: Callable[[], Awaitable[None]], led: float
) -> None:
    async def story() -> float:
        leases = Leases(Store(), nothing, nothing)
        elector = Elector(leases, "me", TERMS, asyncio.get_running_loop().time)
        running = asyncio.create_task(elector.run())
        await asyncio.wait((running,), timeout=led)
        leases.before = fault
        with pytest.raises(LostLease, match="could not be renewed"):
            await running
        return elector.seconds_left

    left = TERMS.lease_seconds - TERMS.step_down_seconds
    assert left - TERMS.retry_seconds <= run_in_virtual_time(story()) <= left


@given(st.integers(3, 300), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
@example(3, 0.998046875, 0.0, 0.99999)
def test_a_dead_leader_is_followed_after_its_lease_and_within_what_was_promised(
    promised: int, begins: float, led: float, slow: float
) -> None:
    """Counted from the begin of its last renewal; eight times a request or an answer is on its way meanwhile, and one
    look may come a hair too early.
    """
    terms = Terms.within(promised)
    way = slow * (promised - terms.lease_seconds - terms.retry_seconds) / 8

    async def story() -> float:
        now = asyncio.get_running_loop().time
        store, begun, renewals = Store(), [0.0], [0.0]

        async def is_on_its_way() -> None:
            await asyncio.sleep(way)

        async def begins_to_renew() -> None:
            begun.append(now())
            await asyncio.sleep(way)

        async def has_renewed() -> None:
            renewals.append(begun[-1])
            await asyncio.sleep(way)

        first = Elector(Leases(store, begins_to_renew, has_renewed), "first", terms, now)
        second = Elector(Leases(store, is_on_its_way, is_on_its_way), "second", terms, now)
        leads = asyncio.create_task(first.run())
        await first.leading.wait()
        await asyncio.sleep(begins * terms.retry_seconds)
        stands_by = asyncio.create_task(second.run())
        await asyncio.sleep(2 * way + led * 4 * promised)
        assert not second.leading.is_set()
        leads.cancel()
        await second.leading.wait()
        taken = now()
        stands_by.cancel()
        await asyncio.gather(leads, stands_by, return_exceptions=True)
        return taken - renewals[-1]

    waited = run_in_virtual_time(story())
    assert terms.lease_seconds <= waited + 1e-6
    assert waited <= promised + SHORTEST_PAUSE_SECONDS


async def test_a_leader_whose_lease_was_taken_is_told_by_whom() -> None:
    store = Store()
    elector = Elector(Leases(store, nothing, nothing), "me", SHORT)
    running = asyncio.create_task(elector.run())
    await asyncio.wait_for(elector.leading.wait(), 5)
    assert store.lease is not None
    store.lease = replace(store.lease, holder="other", seconds=600, version="x", renewed="x")
    with pytest.raises(LostLease, match="held by other"):
        await asyncio.wait_for(running, 5)


async def test_a_lease_that_was_deleted_is_made_again() -> None:
    store = Store()
    elector = Elector(Leases(store, nothing, nothing), "me", TERMS)
    await elector.attempt(0.0)
    store.lease = None
    await elector.attempt(1.0)
    await elector.attempt(2.0)
    assert store.lease is not None
    assert store.lease.holder == "me"


async def test_a_process_that_hangs_while_it_leads_is_ended() -> None:
    now = [0.0]
    elector = Elector(Leases(Store(), nothing, nothing), "me", TERMS, lambda: now[0])
    await elector.attempt(0.0)
    now[0] = 15.0
    ended: list[int] = []
    end_process_when_overdue(elector, ended.append).join(5)
    assert ended == [1]
