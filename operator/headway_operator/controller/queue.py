"""A queue of keys for the workers: a key waits in it once, and is worked on by one worker at a time.

A key that is added while it is worked on comes again after that. Delayed keys come when their time is there, or
earlier if they are added again with less delay.
"""

import asyncio
import random
from collections import deque
from typing import Generic, TypeVar

K = TypeVar("K")

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 60.0


class WorkQueue(Generic[K]):
    """For the workers of one event loop."""

    def __init__(self) -> None:
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        self._active: set[K] = set()
        self._again: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._wake = asyncio.Event()

    def add(self, key: K, delay: float = 0.0) -> None:
        """Let it be worked on once more, in ``delay`` seconds at the latest."""
        if delay > 0:
            self._add_later(key, delay)
            return
        self._cancel_timer(key)
        if key in self._active:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._wake.set()

    async def get(self) -> K:
        """The next key; whoever takes it must call :meth:`done` after it."""
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._active.add(key)
        return key

    def done(self, key: K) -> None:
        """The work on it has ended, well or not."""
        self._active.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def retry(self, key: K, at_once: bool = False) -> None:
        """Add it after a pause that doubles with each failure in a row; ``at_once``: no pause at the first."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        longest = min(FIRST_PAUSE_SECONDS * 2 ** min(failures, 20), LONGEST_PAUSE_SECONDS)
        self.add(key, 0.0 if at_once and failures == 0 else longest * random.uniform(0.75, 1.0))

    def succeeded(self, key: K) -> None:
        """The failures in a row are over."""
        self._failures.pop(key, None)

    def forget(self, key: K) -> None:
        """Drop what is planned for it."""
        self._cancel_timer(key)
        self._failures.pop(key, None)

    def __len__(self) -> int:
        return len(self._ready)

    def _add_later(self, key: K, delay: float) -> None:
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if key in self._waiting or (timer is not None and timer.when() <= loop.time() + delay):
            return
        self._cancel_timer(key)
        self._timers[key] = loop.call_later(delay, self._due, key)

    def _due(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _cancel_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
