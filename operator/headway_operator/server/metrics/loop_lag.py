"""How late the event loop is: what holds it up holds up watches, the Lease and the probes."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from prometheus_client import Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

EVERY_SECONDS = 1.0
SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class LoopLag(Collector):
    """Sleeps for a second, again and again, and notes by how much each sleep was too long."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lag = Histogram(
            "headway_event_loop_lag_seconds",
            "How late the operator's event loop comes to what is due, looked at once a second.",
            buckets=SECONDS,
            registry=None,
        )

    async def measure(self) -> None:
        """Until it is cancelled."""
        while True:
            began = self._clock()
            await self._sleep(EVERY_SECONDS)
            self._lag.observe(max(self._clock() - began - EVERY_SECONDS, 0.0))

    @asynccontextmanager
    async def measuring(self) -> AsyncIterator[None]:
        """Measure while inside."""
        task = asyncio.create_task(self.measure())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def collect(self) -> Iterable[Metric]:
        """The one."""
        yield from self._lag.collect()
