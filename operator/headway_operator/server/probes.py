"""``/livez``, ``/readyz`` and ``/metrics`` on one port.

That ``/livez`` answers at all is what it proves: the loop that answers is the one that works.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Problem = Callable[[], str]
"""Why not, as a sentence; empty: nothing is wrong."""


@asynccontextmanager
async def serving(port: int, not_ready: Problem, metrics: Callable[[], bytes]) -> AsyncIterator[None]:
    """Serve on all addresses while inside; raises :class:`OSError` when the port is taken."""
    runner = web.AppRunner(application(not_ready, metrics), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
        yield
    finally:
        await runner.cleanup()


def application(not_ready: Problem, metrics: Callable[[], bytes]) -> web.Application:
    """The three answers."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        problem = not_ready()
        return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

    async def show(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", show)
    return app
