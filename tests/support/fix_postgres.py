"""Fixtures: `postgres_server` (one per session), `database` (one per test), `make_database`, `replicas`.

`public_tmp_path` is for servers of a test's own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headway_cli.embedded import EmbeddedPostgres
from support.postgres import DSN_VARIABLE, Database, PostgresServer
from support.standby import Replicated, replicated
from support.waiting import wait_until

MakeDatabase = Callable[..., Database]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL: the server that HEADWAY_TEST_DSN names, else the embedded one."""
    if given := os.environ.get(DSN_VARIABLE):
        server = PostgresServer(given)
        yield server
        server.drop_all()
        return
    # What holds locks and has no session: others have such transactions, so they are to be met here too.
    with EmbeddedPostgres.start(settings={"max_prepared_transactions": "10"}) as embedded:
        yield PostgresServer(embedded.url())


@pytest.fixture
def make_database(postgres_server: PostgresServer) -> Iterator[MakeDatabase]:
    """A factory `make_database(label="test", template=None)`; what it made is dropped after the test."""
    made: list[Database] = []

    def make(label: str = "test", template: Database | str | None = None) -> Database:
        made.append(postgres_server.make_database(label, template))
        return made[-1]

    yield make
    for database in made:
        postgres_server.drop(database)


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    """An empty database of the test's own."""
    return make_database()


@pytest.fixture
def public_tmp_path() -> Iterator[Path]:
    """A fresh folder that unprivileged servers can reach; pytest's own is closed to them."""
    with tempfile.TemporaryDirectory(prefix="headway-public-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def replicated_server() -> Iterator[Replicated]:
    """A primary and its streaming standby, of the module's own: what they do would hold other tests' backfills."""
    with replicated() as found:
        yield found


@pytest.fixture
def replicas(replicated_server: Replicated) -> Iterator[Replicated]:
    """The same with the standby level and applying, before and after the test."""
    yield replicated_server
    replicated_server.resume_replay()
    wait_until(replicated_server.is_level, timeout=60, what="the standby to catch up")
