"""The operator's watches start for a user that has a number alone, as the image's has."""

import asyncio
import pwd
import ssl

import pytest

from headway_operator.cluster.access import Access
from headway_operator.controller.clock import utc_now
from headway_operator.controller.loop import Controller
from headway_operator.controller.triggers import watch
from headway_operator.settings import Settings
from support.fake_cluster import FakeCluster


async def test_a_user_that_has_a_number_and_no_name_can_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    controller = Controller(FakeCluster(), Settings(), utc_now)
    access = Access("https://127.0.0.1:1", ssl.create_default_context())
    ready, stop = asyncio.Event(), asyncio.Event()
    stop.set()
    async with asyncio.timeout(60):
        await watch(controller, access, Settings(), ready, stop)
    assert ready.is_set()
