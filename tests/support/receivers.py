"""Receivers of hooks on real sockets: a polite one that keeps what it got, and ones that say what a test wants."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from headway_operator.api.hooks import HookType, Point
from headway_operator.hooks.addresses import networks
from headway_operator.hooks.endpoints import Endpoints
from headway_operator.hooks.policy import Policy
from headway_operator.hooks.sender import Sender
from headway_operator.planner.deliveries import Delivery

AGENT = "Headway/test"
LOOPBACK = Policy(allowed=networks(("127.0.0.1",)), plain_http=("127.0.0.1", ".test"))
"""As a cluster's administrator may set it, too."""


def now() -> datetime:
    return datetime.now(UTC)


def a_delivery(url: str = "", **fields: Any) -> Delivery:
    """A message of the resource shop in the namespace team-a; other fields by their names."""
    known = {
        "id": "msg_3f9c2e_team-chat_AfterDatabase_main",
        "hook": "team-chat",
        "type": HookType.NOTIFY,
        "point": Point.AFTER_DATABASE,
        "event": "dev.headway.database.after",
        "source": "/apis/headway.dev/v1alpha1/namespaces/team-a/databasemigrations/shop",
        "subject": "main",
        "data": {"resource": "shop", "database": "main", "revision": "2026.11.3"},
        "occurred": "2026-11-23T08:00:00Z",
        "url": url,
        "timeout_seconds": 15,
    }
    return Delivery(**{**known, **fields})


@asynccontextmanager
async def a_sender(policy: Policy = LOOPBACK, **fields: Any) -> AsyncIterator[Sender]:
    """A sender that may call loopback; other arguments by their names."""
    made = Sender(**{"now": now, "agent": AGENT, "policy": policy, "endpoints": Endpoints(), **fields})
    try:
        yield made
    finally:
        await made.close()


@dataclass
class Received:
    """One request as it came."""

    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers 200, or as ``answer`` says; keeps what came."""

    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    got: list[Received] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append(Received(dict(request.headers), await request.read()))
        return web.Response() if self.answer is None else await self.answer(request)


@asynccontextmanager
async def a_receiver(tls: ssl.SSLContext | None = None, **fields: Any) -> AsyncIterator[Receiver]:
    """On a port of its own."""
    receiver = Receiver(**fields)
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.handle)
    server = TestServer(app, scheme="https" if tls else "http")
    await server.start_server(ssl=tls)
    try:
        receiver.url = str(server.make_url("/hook"))
        yield receiver
    finally:
        await server.close()


@asynccontextmanager
async def raw(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """The URL of a server that reads the request and then does what ``answer`` does with the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.lower().splitlines() if b"content-length" in line
            )
            await reader.readexactly(length)
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
