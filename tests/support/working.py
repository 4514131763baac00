"""A controller with its workers over a cluster in memory, and waiting for what it does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from headway_operator.controller.clock import utc_now
from headway_operator.controller.loop import Controller
from headway_operator.controller.witness import NOBODY, Witness
from headway_operator.settings import Settings
from support.fake_cluster import FakeCluster


@asynccontextmanager
async def running(
    cluster: FakeCluster, witness: Witness = NOBODY, **settings: int
) -> AsyncIterator[Controller]:
    """The loop at work, woken by what happens in the cluster; `settings` are fields of the operator's settings."""
    known = replace(Settings(), **settings)  # type: ignore[arg-type]
    controller = Controller(cluster, known, utc_now, witness)
    cluster.listener = controller
    task = asyncio.create_task(controller.run())
    yield controller
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(holds: Callable[[], object]) -> None:
    """Returns once it holds; raises TimeoutError after 20 s."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)
