"""Sends deliveries: one attempt each, bounded in time and size, and what came of it as a value.

Every attempt has a connection of its own: one that the receiver had closed meanwhile would cost a try, and a changed
address or rule would not be noticed.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from headway_operator.hooks.answers import answered
from headway_operator.hooks.endpoints import Endpoints
from headway_operator.hooks.failures import failed
from headway_operator.hooks.guard import CheckedResolver, Denied, Lookup, checked_url, socket_maker
from headway_operator.hooks.lookup import Names
from headway_operator.hooks.message import Message, message_of
from headway_operator.hooks.policy import Policy
from headway_operator.hooks.signing import SharedSecret, signed_content
from headway_operator.planner.deliveries import Answer, Answered, Delivery

if TYPE_CHECKING:
    from headway_operator.hooks.own_key import SigningKey

log = logging.getLogger(__name__)

AT_ONCE, AT_ONCE_OF_A_NAMESPACE = 64, 8
"""How many attempts are under way: receivers that are slow for one team keep no other one waiting."""
CONNECT_SECONDS = 5
MOST_BYTES_READ = 4096
"""Of an answer's body, of which nothing is used: so that an orderly receiver can finish."""
READ_SECONDS = 1
LONGEST_NAME = 253


@dataclass(frozen=True)
class Route:
    """Where a delivery goes and what it takes with it."""

    receiver: str
    """For sentences; of an endpoint only the name."""
    url: URL = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[SharedSecret, ...] = ()


class Sender:
    """Made in a running loop; ``close`` it there."""

    def __init__(
        self,
        now: Callable[[], datetime],
        agent: str,
        policy: Policy,
        endpoints: Endpoints | None = None,
        keys: "Sequence[SigningKey]" = (),
        proxy: str = "",
        trust: ssl.SSLContext | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        """``trust``: whose certificates are accepted, if not those of the system's authorities."""
        self._now = now
        self._policy = policy
        self._endpoints = endpoints or Endpoints()
        self._keys = tuple(keys)
        self._proxy = proxy or None
        self._names = Names()
        self._turns = _Turns()
        self._session = aiohttp.ClientSession(
            connector=self._connector(trust or ssl.create_default_context(), lookup or self._names.lookup),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": agent, "accept": "*/*", "accept-encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Break off what is under way and let go of everything."""
        await self._session.close()
        self._names.close()

    async def send(self, delivery: Delivery) -> Answered:
        """One attempt."""
        try:
            route = self._route(delivery)
        except Denied as problem:
            return Answered(Answer.FORBIDDEN, sentence=f"{_receiver_of(delivery)}: {problem}")
        async with self._turns.turn(namespace_of(delivery)):
            return await self._attempt(route, message_of(delivery), delivery.timeout_seconds)

    async def _attempt(self, route: Route, message: Message, seconds: int) -> Answered:
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))
        try:
            async with self._session.post(
                route.url,
                data=message.body,
                headers={**route.headers, **message.headers, **self._signed(message, route.secrets)},
                timeout=timeout,
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                await _let_finish(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return failed(route.receiver, error, seconds)
        retry_after, date = (response.headers.get(name, "") for name in ("Retry-After", "Date"))
        return answered(route.receiver, response.status, retry_after, date, self._now())

    def _route(self, delivery: Delivery) -> Route:
        """Raises :class:`Denied`."""
        if not delivery.endpoint:
            url = checked_url(delivery.url, self._policy)
            return Route(_receiver_of(delivery), url)
        found = self._endpoints.find(delivery.endpoint)
        if found is None:
            raise Denied("the cluster's administrator has set up no endpoint of this name")
        if not found.may_be_used_in(namespace_of(delivery)):
            raise Denied(f"the namespace {namespace_of(delivery)} may not use it")
        url = checked_url(found.url, self._policy, is_the_administrators=True)
        return Route(_receiver_of(delivery), url, found.headers, found.secrets)

    def _signed(self, message: Message, secrets: Sequence[SharedSecret]) -> dict[str, str]:
        timestamp = int(self._now().timestamp())
        content = signed_content(message.id, timestamp, message.body)
        signatures = [key.sign(content) for key in self._keys] + [one.sign(content) for one in secrets]
        headers = {"webhook-timestamp": str(timestamp)}
        return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})

    def _connector(self, trust: ssl.SSLContext, lookup: Lookup) -> aiohttp.TCPConnector:
        common = partial(aiohttp.TCPConnector, ssl=trust, limit=0, force_close=True, use_dns_cache=False)
        if self._proxy:  # Which addresses may be called is then the proxy's to say.
            return common()
        return common(
            resolver=CheckedResolver(self._policy, lookup), socket_factory=socket_maker(self._policy)
        )


class _Turns:
    """Who may send now."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(AT_ONCE)
        self._of_namespaces: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def turn(self, namespace: str) -> AsyncIterator[None]:
        own = self._of_namespaces.setdefault(namespace, asyncio.Semaphore(AT_ONCE_OF_A_NAMESPACE))
        async with own, self._all:
            yield


def namespace_of(delivery: Delivery) -> str:
    """Of the resource that it comes from; empty when its source is no resource's path."""
    _, found, rest = delivery.source.partition("/namespaces/")
    return rest.split("/")[0] if found else ""


def _receiver_of(delivery: Delivery) -> str:
    """The host of an address, because the rest of it may be somebody's secret; the name of an endpoint."""
    if delivery.endpoint:
        return f"endpoint {delivery.endpoint}"
    try:
        host = URL(delivery.url).host or ""
    except ValueError:
        host = ""
    return host if host.isprintable() and 0 < len(host) <= LONGEST_NAME else "the receiver"


async def _let_finish(response: aiohttp.ClientResponse) -> None:
    """Read a little of the body; what it is does not matter, and an endless one is cut off."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            left = MOST_BYTES_READ
            while left > 0 and (piece := await response.content.read(left)):
                left -= len(piece)
    except (TimeoutError, aiohttp.ClientError):
        log.debug("the rest of an answer was not read")
    response.close()
