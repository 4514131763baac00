"""A database that goes away in the middle of a run and comes back: the run goes on to head by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.gates import Doorway, Gate
from support.postgres import Database
from support.projects import Project
from support.resources import Resources
from support.waiting import wait_until


@pytest.fixture
def doorway(database: Database) -> Iterator[Doorway]:
    """To a database that can be away."""
    made = Doorway(database.url())
    made.open()
    yield made
    made.leave()


@pytest.mark.usefixtures("operator")
def test_a_database_that_is_lost_in_the_middle_of_a_revision_is_waited_for_and_taken_to_head(
    shop: Resources, project: Project, database: Database, doorway: Doorway, tmp_path: Path
) -> None:
    project.tables("users")
    gate = Gate(tmp_path, "orders").add_to(project)
    project.tables("invoices")
    retry = {"limit": 30, "backoffSeconds": 1, "maxBackoffSeconds": 1}
    shop.create("shop", {"main": doorway.url}, retry=retry)
    gate.wait_until_reached()
    wait_until(
        lambda: shop.database("shop", "main").get("revisionsDone") == 1, what="the first revision told"
    )

    doorway.close()
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
    doorway.open()

    shop.wait_for_condition("shop", "Ready")
    assert {"users", "orders", "invoices"} <= database.tables()
    assert database.scalar("SELECT version_num FROM alembic_version") == "invoices"
    assert len(shop.jobs("Plan")) == 1, "what was planned is gone on with"
