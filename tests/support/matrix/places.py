"""An empty database of a row's own, whatever the server is: its URL, its rows, and all that can be seen of it."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy.engine import make_url

from support.postgres import Database

OF_POSTGRES = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = 'public' ORDER BY 1, 2",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' ORDER BY 1",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "SELECT typname, enumlabel FROM pg_enum JOIN pg_type t ON t.oid = enumtypid ORDER BY 1, enumsortorder",
)
OF_MYSQL = (
    "SELECT table_name, column_name, column_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = database() ORDER BY 1, 2",
    "SELECT table_name, index_name, seq_in_index, column_name, non_unique FROM information_schema.statistics "
    "WHERE table_schema = database() ORDER BY 1, 2, 3",
)
OF_SQLITE = ("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2",)


class Place(ABC):
    """One database."""

    queries: tuple[str, ...]
    """What its catalogue is."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Its SQLAlchemy URL, with the row's driver."""

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query in a session of its own, not through a pooler."""

    def catalogue(self) -> list[list[tuple[Any, ...]]]:
        """Tables, columns, indexes, constraints: what two databases that are the same have in common."""
        return [self.rows(query) for query in self.queries]

    def tables(self) -> set[str]:
        """The names of its tables."""
        return {str(row[2 if isinstance(self, Sqlite) else 0]) for row in self.catalogue()[0]}

    def versions(self) -> list[str]:
        """What Alembic's table says."""
        return sorted(str(version) for (version,) in self.rows("SELECT version_num FROM alembic_version"))


@dataclass(frozen=True)
class Postgres(Place):
    """A database on a PostgreSQL; `address` may be a pooler's."""

    database: Database
    driver: str
    address: str
    queries = OF_POSTGRES

    @property
    def url(self) -> str:
        """See the base."""
        return self.address.replace("postgresql://", f"postgresql+{self.driver}://", 1)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See the base."""
        return self.database.rows(query)


@dataclass(frozen=True)
class MySql(Place):
    """A database on a MariaDB or a MySQL."""

    url: str = ""
    queries = OF_MYSQL

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See the base."""
        parts = make_url(self.url)
        with (
            pymysql.connect(
                host=parts.host, port=parts.port or 0, user="root", database=parts.database
            ) as session,
            session.cursor() as cursor,
        ):
            cursor.execute(query)
            return list(cursor.fetchall())


@dataclass(frozen=True)
class Sqlite(Place):
    """A file."""

    file: Path
    queries = OF_SQLITE

    @property
    def url(self) -> str:
        """See the base."""
        return f"sqlite:///{self.file}"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See the base."""
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(query).fetchall()
