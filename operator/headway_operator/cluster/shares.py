"""Places for so many at a time. While others wait, who has had one for its time gives it up, the longest first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LOOK_SECONDS = 1.0


class Shares:
    """For the tasks of one event loop; who comes first waits first."""

    def __init__(self, places: int, seconds: float) -> None:
        """``seconds``: what everybody may have of a place, and waits for at most while others have had that."""
        self._free = asyncio.Semaphore(places)
        self._seconds = seconds
        self._waiting: dict[object, float] = {}
        """Since when, in the order in which they came; so are those that have a place."""
        self._held: dict[asyncio.Timeout, float] = {}
        self._look: asyncio.TimerHandle | None = None

    @property
    def held(self) -> int:
        """How many have a place."""
        return len(self._held)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Inside, one has a place; TimeoutError comes out when it was given up."""
        await self._wait()
        try:
            async with asyncio.timeout(None) as place:
                self._held[place] = _now()
                try:
                    yield
                finally:
                    self._held.pop(place, None)
        finally:
            self._free.release()

    async def _wait(self) -> None:
        me = object()
        self._waiting[me] = _now()
        self._look_soon()
        try:
            await self._free.acquire()
        finally:
            del self._waiting[me]

    def _look_soon(self) -> None:
        if self._look is None and self._free.locked():
            self._look = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._share)

    def _share(self) -> None:
        """As many give theirs up as have waited long enough, or fewer."""
        self._look = None
        due = _now() - self._seconds
        count = sum(since <= due for since in self._waiting.values())
        for place in [one for one, since in self._held.items() if since <= due][:count]:
            del self._held[place]
            place.reschedule(_now())
        if self._waiting:
            self._look_soon()


def _now() -> float:
    return asyncio.get_running_loop().time()
