"""What the kubelet and Prometheus are answered."""

import asyncio
import urllib.error
import urllib.request

import pytest

from headway_operator.server.probes import serving
from support.processes import free_port


def ask(port: int, path: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["Content-Type"]


async def test_who_is_not_ready_says_why_and_is_alive_all_the_same() -> None:
    problem = ["the Lease could not be read yet"]
    port = free_port()
    async with serving(port, lambda: problem[0], lambda: b"headway_leader 1.0\n"):
        assert await asyncio.to_thread(ask, port, "/livez") == (200, "ok\n", "text/plain; charset=utf-8")
        status, text, _ = await asyncio.to_thread(ask, port, "/readyz")
        assert (status, text) == (503, "the Lease could not be read yet\n")
        problem[0] = ""
        assert (await asyncio.to_thread(ask, port, "/readyz"))[:2] == (200, "ok\n")
        assert (await asyncio.to_thread(ask, port, "/metrics"))[1] == "headway_leader 1.0\n"
        assert (await asyncio.to_thread(ask, port, "/elsewhere"))[0] == 404


async def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    port = free_port()
    async with serving(port, str, bytes):
        with pytest.raises(OSError, match="in use"):
            async with serving(port, str, bytes):
                pass
