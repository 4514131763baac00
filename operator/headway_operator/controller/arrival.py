"""The wait for an API server that does not answer yet: a process that ended would come back later than it does.

After each end the kubelet waits longer before it starts the process again, up to five minutes. So this one stays, not
ready, and asks again; what asking again does not mend is raised at once.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from headway_operator.cluster.interface import Unavailable

log = logging.getLogger(__name__)

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 10.0
TELL_SECONDS = 60.0
"""Between two lines of the log."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Arrival:
    """Asks until it is answered."""

    def __init__(self, server: str) -> None:
        self.problem = "the API server was not asked yet"
        """Why this process is not ready, as a sentence; empty once it was answered."""
        self._server = server

    async def wait(self, ask: Callable[[], Awaitable[None]]) -> bool:
        """Until ``ask`` gets through; False: a signal came first. Raises what it raises, unless that may pass."""
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, stop.set)
        asking = asyncio.create_task(self._ask(ask))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                return False
            asking.result()
            return True
        finally:
            for task in (asking, stopping):
                task.cancel()
            await asyncio.gather(asking, stopping, return_exceptions=True)
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    async def _ask(self, ask: Callable[[], Awaitable[None]]) -> None:
        pause, told_at = FIRST_SECONDS, float("-inf")
        while True:
            try:
                await ask()
            except Unavailable as error:
                self.problem = f"{self._server} does not answer yet: {error}"
                now = asyncio.get_running_loop().time()
                if now - told_at >= TELL_SECONDS:
                    told_at = now
                    log.warning("%s; it is asked again", self.problem)
            else:
                self.problem = ""
                if told_at > float("-inf"):
                    log.info("%s answers", self._server)
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_SECONDS)
