"""Fixture: `place`, a database with an account of its own whose password is a canary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from psycopg import sql
from sqlalchemy import make_url

from support.canaries import Canaries
from support.postgres import Database, PostgresServer


@dataclass
class Place:
    """A database whose account has a canary as its password."""

    canaries: Canaries
    database: Database
    user: str
    password: str
    token: str = ""
    """Of a service that has nothing to do with the database, in the environment as API_TOKEN."""

    def __post_init__(self) -> None:
        self.token = self.canaries.plant("API_TOKEN")

    def url(self, driver: str = "psycopg", **parts: object) -> str:
        """Its URL with both secrets in it, or with other parts."""
        url = make_url(self.database.url(driver)).set(username=self.user, password=self.password)
        if driver.startswith("psycopg"):
            url = url.update_query_dict(
                {"sslpassword": self.canaries.plant("sslpassword in the URL", odd=True)}
            )
        return url.set(**parts).render_as_string(hide_password=False)


@pytest.fixture
def account(postgres_server: PostgresServer) -> Iterator[tuple[Canaries, str, str]]:
    """Canaries, and a role of the server with the first of them as its password."""
    canaries = Canaries()
    user = f"c_{postgres_server.session}_{id(canaries)}"
    password = canaries.plant("the password in the URL", odd=True)
    create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(user), sql.Literal(password))
    postgres_server.administer(create)
    yield canaries, user, password
    postgres_server.administer(sql.SQL("DROP ROLE {}").format(sql.Identifier(user)))


@pytest.fixture
def place(account: tuple[Canaries, str, str], database: Database) -> Place:
    """A database of its own, empty."""
    database.execute(f'ALTER DATABASE "{database.name}" OWNER TO "{account[1]}"')
    database.execute(f'ALTER SCHEMA public OWNER TO "{account[1]}"')
    return Place(account[0], database, *account[1:])
