"""Fixtures: `postgres_server` (one per session), `database` (one per test), `make_database` (several)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from headway_cli.embedded import EmbeddedPostgres
from support.postgres import DSN_VARIABLE, Database, PostgresServer

MakeDatabase = Callable[..., Database]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL: the server that HEADWAY_TEST_DSN names, else the embedded one."""
    if given := os.environ.get(DSN_VARIABLE):
        server = PostgresServer(given)
        yield server
        server.drop_all()
        return
    with EmbeddedPostgres.start() as embedded:
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
