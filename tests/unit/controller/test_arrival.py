"""Before the first look: the API server is waited for and told of; what waiting does not mend ends it."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from headway_operator.cluster.interface import Unavailable
from headway_operator.controller import arrival
from headway_operator.controller.arrival import Arrival
from support.working import until


class Server:
    """Does not answer so many times."""

    def __init__(self, away: int) -> None:
        self.away = away
        self.asked = 0

    async def ask(self) -> None:
        self.asked += 1
        if self.asked <= self.away:
            raise Unavailable("no answer")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "FIRST_SECONDS", 0.001)
    monkeypatch.setattr(arrival, "LONGEST_SECONDS", 0.001)


async def test_it_asks_until_it_is_answered_and_tells_that_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, waiting = Server(away=20), Arrival("https://api")
    assert waiting.problem, "it is not ready before it has asked"
    assert await waiting.wait(server.ask)
    assert server.asked == 21
    assert waiting.problem == ""
    assert [record.levelname for record in caplog.records if "does not answer yet" in record.message] == [
        "WARNING"
    ]


async def test_a_signal_ends_the_wait_and_says_nothing_of_a_failure() -> None:
    server, waiting = Server(away=10**6), Arrival("https://api")
    task = asyncio.create_task(waiting.wait(server.ask))
    await until(lambda: server.asked > 2)
    assert waiting.problem == "https://api does not answer yet: no answer"
    os.kill(os.getpid(), signal.SIGTERM)
    assert await task is False


async def test_what_waiting_does_not_mend_is_raised_at_once() -> None:
    async def ask() -> None:
        raise ValueError("not installed")

    with pytest.raises(ValueError, match="not installed"):
        await Arrival("https://api").wait(ask)
