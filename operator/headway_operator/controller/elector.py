"""Leads while it can prove that it may: takes the Lease, renews it, and steps down before another can take it.

A Lease is no fence: two writers are kept apart by resource versions and fixed names of Jobs, and two runners by the
lock in the database. It keeps two operators from doing everything twice.
"""

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

from headway_operator.cluster.interface import ClusterError, Conflict
from headway_operator.planner.election import (
    Lease,
    Seen,
    Terms,
    may_take,
    released,
    seconds_until_next_turn,
    seen,
    taken,
)

log = logging.getLogger(__name__)

RELEASE_SECONDS = 2.0
"""How long an orderly stop tries to hand over; after it the Lease runs out by itself."""


class LostLease(Exception):
    """This process may not lead any more."""


class Leases(Protocol):
    """Where the Lease is kept; both raise :class:`ClusterError`."""

    async def read(self) -> Lease | None:
        """As it is now."""

    async def write(self, lease: Lease) -> Lease:
        """Create or replace the version that it names; :class:`Conflict` when somebody was faster."""


def seconds_awake_or_not() -> float:
    """Seconds that never run back and go on while the machine sleeps, where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Elector:
    """One contender; ``me`` is unique to the process, so that one that comes back is another."""

    def __init__(
        self, leases: Leases, me: str, terms: Terms, clock: Callable[[], float] = seconds_awake_or_not
    ) -> None:
        self.leading = asyncio.Event()
        self.has_answered = False
        """The Lease could be read or written at least once."""
        self.transitions = 0
        """How often the Lease has changed hands, as it says itself."""
        self._leases = leases
        self._me = me
        self._terms = terms
        self._clock = clock
        self._seen: Seen | None = None
        self._held: Lease | None = None
        self._renewed = 0.0

    def may_write(self) -> bool:
        """Whether nobody else can have taken it by now."""
        return self.leading.is_set() and self.seconds_left > 0

    @property
    def seconds_left(self) -> float:
        """Until another may take it at the earliest: counted from the start of the last renewal that succeeded."""
        return self._renewed + self._terms.lease_seconds - self._clock()

    async def run(self) -> None:
        """Contend, and hold it when it is had; raises :class:`LostLease` once it may be lost."""
        while True:
            await self._turn()
            await asyncio.sleep(self._pause())

    async def release(self) -> None:
        """Hand over, once nothing is written any more; what it comes to is only that another need not wait."""
        self.leading.clear()
        if self._held is None:
            return
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._leases.write(released(self._held))
        except (ClusterError, TimeoutError) as error:
            log.warning("the Lease was not handed over and runs out by itself: %s", error or "no answer")

    async def _turn(self) -> None:
        started = self._clock()
        try:
            async with asyncio.timeout(self._patience(started)):
                await self.attempt(started)
        except (ClusterError, TimeoutError) as error:
            log.warning("the Lease cannot be reached: %s", error or "no answer in time")
        if self.leading.is_set() and self._clock() >= self._renewed + self._terms.step_down_seconds:
            raise LostLease(f"the Lease could not be renewed for {self._terms.step_down_seconds:g} s")

    def _pause(self) -> float:
        if self.leading.is_set():
            return self._terms.retry_seconds
        return seconds_until_next_turn(self._seen, self._me, self._clock(), self._terms)

    def _patience(self, now: float) -> float:
        """No request outlives the time to step down."""
        since = self._renewed if self.leading.is_set() else now
        return max(since + self._terms.step_down_seconds - now, 0.0)

    async def attempt(self, started: float) -> None:
        """One renewal, or one look and what follows from it, begun at this time by the elector's clock."""
        lease = self._held
        if lease is None:
            lease = await self._leases.read()
            self.has_answered = True
            self._seen = None if lease is None else seen(self._seen, lease, self._clock())
            self.transitions = 0 if lease is None else lease.transitions
            if not may_take(self._seen, self._me, self._clock(), self._terms):
                self._require_not_leading(lease)
                return
        self._held = None
        try:
            self._held = await self._leases.write(taken(lease, self._me, self._terms))
        except Conflict:
            return
        self.transitions = self._held.transitions
        self._renewed = started
        if not self.leading.is_set():
            log.info("leading as %s", self._me)
            self.leading.set()

    def _require_not_leading(self, lease: Lease | None) -> None:
        if self.leading.is_set():
            raise LostLease(f"the Lease is held by {'nobody' if lease is None else lease.holder}")


def end_process_when_overdue(elector: Elector, end: Callable[[int], None] = os._exit) -> threading.Thread:
    """The last resort, in a thread: a process that hangs while it leads ends before another may take over."""

    def wait() -> None:
        while elector.leading.is_set():
            left = elector.seconds_left
            if left <= 0:
                sys.stderr.write("headway-operator: the Lease ran out while work went on; ended\n")
                end(1)
                return
            time.sleep(min(left, 1.0))

    thread = threading.Thread(target=wait, name="lease", daemon=True)
    thread.start()
    return thread
