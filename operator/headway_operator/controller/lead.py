"""Standing by until this process leads, and working while it does.

A standby holds nothing but a contender for the Lease: starting to work takes a second, and two that watch would
double the load on the API server.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from headway_operator.controller.elector import Elector, end_process_when_overdue

log = logging.getLogger(__name__)

Work = Callable[[asyncio.Task[None]], Awaitable[int]]
"""Works until the task ends, which it does when the lead is lost, or until a signal; returns the exit code."""


async def lead(elector: Elector, work: Work) -> int:
    """Stand by, work, hand over; returns the exit code, 0 for a signal. Nobody writes after the Lease is given up."""
    contending = asyncio.create_task(elector.run())
    try:
        if not await _stand_by(elector, contending):
            return 0
        end_process_when_overdue(elector)
        return await work(contending)
    finally:
        contending.cancel()
        await asyncio.gather(contending, return_exceptions=True)
        await elector.release()


async def _stand_by(elector: Elector, contending: asyncio.Task[None]) -> bool:
    """Until it leads; False when a signal comes first. Raises what the contender gives up with."""
    log.info("standing by")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    waits = [asyncio.ensure_future(elector.leading.wait()), asyncio.ensure_future(stop.wait())]
    await asyncio.wait((*waits, contending), return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    if contending.done():
        contending.result()
    return elector.leading.is_set() and not stop.is_set()
