"""A database that goes away in the middle of a run and comes back: the run goes on to head by itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.gates import Gate
from support.postgres import Database
from support.projects import Project
from support.relay import Relay
from support.resources import Resources
from support.waiting import wait_until


class Reached:
    """A database behind a relay on one port, which can be away for a while."""

    def __init__(self, database: Database) -> None:
        address = urlsplit(database.address)
        self._target = (str(address.hostname), int(address.port or 5432))
        # Bound and never listened to: nobody else gets the port while the relay is closed.
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind(("127.0.0.1", 0))
        self._port = int(self._kept.getsockname()[1])
        self._relay = Relay(self._target, self._port)
        self.url = database.url().replace(f":{address.port}/", f":{self._port}/")

    def goes_away(self) -> None:
        """Sessions are cut, and new ones refused."""
        self._relay.close()

    def comes_back(self) -> None:
        """On the same port."""
        self._relay = Relay(self._target, self._port)

    def close(self) -> None:
        """It is not reached any more, and its port is anybody's."""
        self.goes_away()
        self._kept.close()


@pytest.fixture
def reached(database: Database) -> Iterator[Reached]:
    """A database that can be away."""
    made = Reached(database)
    yield made
    made.close()


@pytest.mark.usefixtures("operator")
def test_a_database_that_is_lost_in_the_middle_of_a_revision_is_waited_for_and_taken_to_head(
    shop: Resources, project: Project, database: Database, reached: Reached, tmp_path: Path
) -> None:
    project.tables("users")
    gate = Gate(tmp_path, "orders").add_to(project)
    project.tables("invoices")
    retry = {"limit": 30, "backoffSeconds": 1, "maxBackoffSeconds": 1}
    shop.create("shop", {"main": reached.url}, retry=retry)
    gate.wait_until_reached()
    wait_until(
        lambda: shop.database("shop", "main").get("revisionsDone") == 1, what="the first revision told"
    )

    reached.goes_away()
    gate.open()
    shop.wait_for_condition("shop", "Reconciling", "True", "Retrying")
    told = shop.wait_for_event("ConnectionLost")
    assert told["note"].startswith("main: The connection to the database was lost during the run.")
    assert "users" in database.tables()
    assert "orders" not in database.tables(), "what the lost session did is undone"
    known = shop.database("shop", "main")
    assert (known["currentRevision"], known["revisionsDone"]) == ("users", 1)
    wait_until(lambda: len(shop.attempts("main")) >= 3, what="a third attempt: the second finds nobody")
    assert shop.condition("shop", "Stalled")["status"] == "False"
    reached.comes_back()

    shop.wait_for_condition("shop", "Ready")
    assert {"users", "orders", "invoices"} <= database.tables()
    assert database.scalar("SELECT version_num FROM alembic_version") == "invoices"
    assert len(shop.jobs("Plan")) == 1, "what was planned is gone on with"
