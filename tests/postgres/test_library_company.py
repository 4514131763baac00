"""The size of batches beside others who write, and alone, on a real server that nobody else uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from headway import backfill
from headway.backfills.sizes import FIRST_ROWS
from headway.pace import BALANCED, PACES
from headway_cli.embedded import EmbeddedPostgres
from support.postgres import Database, PostgresServer
from support.revisions import Told, run

ROWS = 90_000
"""The share that a batch may have of them is less than what it may have in any case, FIRST_ROWS."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Nothing analyzes a table by itself."""
    with EmbeddedPostgres.start(settings={"autovacuum": "off"}) as embedded:
        yield PostgresServer(embedded.url())


@pytest.fixture
def users(server: PostgresServer) -> Iterator[Database]:
    """A table of four partitions in a database of its own."""
    database = server.make_database("company")
    bounds = range(0, ROWS + 1, ROWS // 4)
    partitions = (
        f"CREATE TABLE users_{low} PARTITION OF users FOR VALUES FROM ({low}) TO ({high}) WITH (fillfactor = 50)"
        for low, high in pairwise(bounds)
    )
    database.execute(
        "CREATE TABLE users (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); "
        f"{'; '.join(partitions)};"
        f"INSERT INTO users SELECT i FROM generate_series(0, {ROWS - 1}) i; ANALYZE users"
    )
    yield database
    server.drop(database)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a batch bounds none, however slow the machine is."""
    monkeypatch.setitem(PACES, BALANCED.name, replace(BALANCED, target_ms=10_000.0))


def batches(users: Database, told: Told) -> int:
    """How many it took to fill it; a batch is of whole blocks, so it may be some rows larger than its bound."""
    run(users.url(), lambda: backfill("users", {"n": "id"}, where="n IS NULL"), told)
    assert users.scalar("SELECT count(*) FROM users WHERE n IS DISTINCT FROM id") == 0
    (finished,) = (facts for kind, facts in told.facts if kind == "BackfillFinished")
    return int(str(finished["batches"]))


def test_while_nobody_else_writes_a_batch_takes_what_fits_into_its_time(users: Database) -> None:
    assert batches(users, Told()) < ROWS / FIRST_ROWS / 2


def test_beside_somebody_who_writes_anywhere_a_batch_takes_a_small_share(
    server: PostgresServer, users: Database
) -> None:
    elsewhere, told = server.make_database("elsewhere"), Told()

    def wishes() -> dict[str, object]:
        """Asked for before each batch."""
        elsewhere.execute("SELECT txid_current()")
        return {}

    told.wishes = wishes  # type: ignore[method-assign]
    assert batches(users, told) > ROWS / FIRST_ROWS * 0.8
    server.drop(elsewhere)
