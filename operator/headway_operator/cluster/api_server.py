"""Requests to an API server: plain JSON over one aiohttp session, foreign errors translated in one place.

Nothing is repeated here except what aiohttp itself repeats: reads and deletes on a kept connection that the server
had closed.
"""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import aiohttp

from headway_operator.cluster.interface import (
    Body,
    ClusterError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unavailable,
)
from headway_operator.cluster.lines import split_lines

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)
STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5, sock_read=60)
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
MESSAGE_CHARACTERS = 1000

_KINDS: dict[int, type[ClusterError]] = {
    400: Invalid,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: Invalid,
}


def always() -> bool:
    """Nobody else may be writing."""
    return True


class ApiServer:
    """Every method raises :class:`ClusterError` of the fitting kind.

    ``may_write`` is asked before each request that changes something: while it says no, nothing is sent.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        may_write: Callable[[], bool] = always,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._session = session
        self._may_write = may_write
        self._timeout = timeout

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    async def json(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Body:
        """The answer's object."""
        answer: Body = json.loads(await self.request(method, path, body, content_type, query))
        return answer

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> bytes:
        """The answer's body."""
        if method != "GET" and not self._may_write():
            raise Unavailable("this operator is not the leader any more")
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json"} | ({"Content-Type": content_type} if data else {})
        try:
            async with self._session.request(
                method, path, data=data, headers=headers, params=query, timeout=self._timeout
            ) as response:
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(error) from None
        if response.status >= 300:
            raise _error(response.status, content)
        return content

    async def lines(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[str, None]:
        """The answer's lines as they come, until the server closes it."""
        try:
            async with self._session.get(path, params=query, timeout=STREAM_TIMEOUT) as response:
                if response.status >= 300:
                    raise _error(response.status, await response.read())
                async for line in split_lines(response.content.iter_any()):
                    yield line
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(error) from None


def _error(status: int, content: bytes) -> ClusterError:
    """The one table of what an answer means; what is not in it may pass (401 while a token is renewed, 429, 5xx)."""
    try:
        message = json.loads(content).get("message", "")
    except (ValueError, AttributeError):
        message = content.decode(errors="replace")
    return _KINDS.get(status, Unavailable)(f"HTTP {status}: {message[:MESSAGE_CHARACTERS]}")


def _unreachable(error: Exception) -> Unavailable:
    return Unavailable(f"no answer from the API server: {type(error).__name__} {error}".rstrip())
