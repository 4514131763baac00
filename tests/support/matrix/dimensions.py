"""What the matrix combines: Pythons, Alembics, SQLAlchemys, drivers and servers, and what cannot go together.

Rule: every version is named here and nowhere else; every impossible pair is a function in `IMPOSSIBLE`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
ALEMBICS = ("1.7.7", "1.11.3", "1.13.3", "1.16.5", "1.18.4", "1.20.1")
SQLALCHEMYS = ("1.4.54", "2.0.58", "2.1.9")
POSTGRES_DRIVERS = ("psycopg2", "psycopg", "asyncpg", "pg8000")
DRIVERS = (*POSTGRES_DRIVERS, "pymysql", "sqlite3")
POSTGRES_SERVERS = ("postgresql-14", "postgresql-15", "postgresql-16", "postgresql-17", "postgresql-18")
MYSQL_SERVERS = ("mariadb", "mysql")
SERVERS = (*POSTGRES_SERVERS, "pgbouncer", *MYSQL_SERVERS, "sqlite")
FIRST_SERVERS = ("postgresql-18", "sqlite")
"""Those that pip alone brings; the few rows of an ordinary test run use only them."""


@dataclass(frozen=True)
class Row:
    """One combination."""

    python: str
    alembic: str
    sqlalchemy: str
    driver: str
    server: str

    def __str__(self) -> str:
        """As pytest shows it."""
        return f"python{self.python} alembic{self.alembic} sqlalchemy{self.sqlalchemy} {self.driver} {self.server}"

    @property
    def is_postgres(self) -> bool:
        """PostgreSQL, with or without a pooler before it."""
        return self.driver in POSTGRES_DRIVERS

    def pairs(self) -> frozenset[tuple[int, str, int, str]]:
        """Its ten pairs of values."""
        values = enumerate(astuple(self))
        return frozenset((a, x, b, y) for (a, x), (b, y) in itertools.combinations(values, 2))


def driver_talks_to_another_server(row: Row) -> bool:
    """A driver is made for one protocol."""
    return (row.driver == "pymysql") != (row.server in MYSQL_SERVERS) or (row.driver == "sqlite3") != (
        row.server == "sqlite"
    )


def sqlalchemy_1_4_has_no_dialect_for_psycopg_3(row: Row) -> bool:
    """It came with SQLAlchemy 2.0."""
    return row.driver == "psycopg" and row.sqlalchemy.startswith("1.4")


def sqlalchemy_2_1_needs_python_3_11(row: Row) -> bool:
    """As its package says."""
    return row.python == "3.10" and row.sqlalchemy.startswith("2.1")


def alembic_1_20_needs_sqlalchemy_2(row: Row) -> bool:
    """As its package says."""
    return row.alembic.startswith("1.20") and row.sqlalchemy.startswith("1.4")


IMPOSSIBLE: tuple[Callable[[Row], bool], ...] = (
    driver_talks_to_another_server,
    sqlalchemy_1_4_has_no_dialect_for_psycopg_3,
    sqlalchemy_2_1_needs_python_3_11,
    alembic_1_20_needs_sqlalchemy_2,
)


def possible_rows() -> Iterator[Row]:
    """All that nothing forbids, in the order of the values."""
    for values in itertools.product(PYTHONS, ALEMBICS, SQLALCHEMYS, DRIVERS, SERVERS):
        row = Row(*values)
        if not any(forbids(row) for forbids in IMPOSSIBLE):
            yield row
