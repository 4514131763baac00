"""Databases for tests: made, asked and dropped on one PostgreSQL server.

The server is embedded, or the one that HEADWAY_TEST_DSN names (a URL of a role that may create databases).
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

DSN_VARIABLE = "HEADWAY_TEST_DSN"


@dataclass
class Database:
    """One database of a test. Its connections that are still open at the end are closed with it."""

    name: str
    address: str
    """URL without a driver: postgresql://user:password@host:port/name"""
    connections: list[psycopg.Connection] = field(default_factory=list, repr=False)

    def url(self, driver: str = "psycopg") -> str:
        """The SQLAlchemy URL for a driver; an empty one leaves the choice to whoever reads it."""
        return self.address.replace(
            "postgresql://", f"postgresql+{driver}://" if driver else "postgresql://", 1
        )

    def connect(self, autocommit: bool = True) -> psycopg.Connection:
        """A new psycopg connection."""
        connection = psycopg.connect(self.address, autocommit=autocommit)
        self.connections.append(connection)
        return connection

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Run statements in a session of their own; the number of rows that the last one touched."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            return connection.execute(statement.encode(), parameters or None).rowcount

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple]:
        """All rows of a query."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()

    def scalar(self, query: str, parameters: Sequence[object] = ()) -> object:
        """The first column of the first row, None when there is no row."""
        found = self.rows(query, parameters)
        return found[0][0] if found else None

    def tables(self) -> set[str]:
        """The names of the tables in the schema public."""
        return {name for (name,) in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    def close(self) -> None:
        """Close the connections that `connect` gave out."""
        for connection in self.connections:
            connection.close()


class PostgresServer:
    """A server for one test session, with an empty template database that every test gets a clone of."""

    def __init__(self, address: str) -> None:
        self.address = address
        """URL of the administrator's database."""
        self.session = secrets.token_hex(3)
        self._numbers = itertools.count(1)
        self._made: dict[str, Database] = {}
        self.template = self._make(f"hw_{self.session}_template", "template0")

    def make_database(self, label: str = "test", template: Database | str | None = None) -> Database:
        """A fresh database, cloned from `template` (which nobody may be connected to) or from the empty one."""
        name = f"hw_{self.session}_{label[:30]}_{next(self._numbers)}"
        source = template or self.template
        return self._make(name, source if isinstance(source, str) else source.name)

    def drop(self, database: Database) -> None:
        """Drop a database, whoever is still connected."""
        database.close()
        self.administer(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name))
        )
        self._made.pop(database.name, None)

    def drop_all(self) -> None:
        """Drop everything that was made here, the template too."""
        for database in list(self._made.values()):
            self.drop(database)

    def _make(self, name: str, template: str) -> Database:
        self.administer(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        made = Database(name, urlunsplit(urlsplit(self.address)._replace(path=f"/{name}")))
        self._made[name] = made
        return made

    def administer(self, statement: sql.Composed) -> None:
        """Run a statement as the administrator, outside of every transaction."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement)
