"""Sessions that are cut at a statement of an operation: its server process is ended just before or just after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from support.postgres import Database

READS = re.compile(r"\s*(select|show|set|with)\b", re.I)


@dataclass
class Cut:
    """At the statement of this number, counted from 0, of those that change something."""

    database: Database
    number: int
    after: bool
    """When it was done, which for one in a transaction is before its commit."""
    left_alone: str = ""
    """A pattern of statements that are not counted either."""
    seen: int = 0
    statement: str = ""
    """Where it was cut, "" when there were fewer statements."""

    def _is_it(self, statement: str) -> bool:
        if READS.match(statement) or self.statement:
            return False
        if self.left_alone and re.search(self.left_alone, statement):
            return False
        self.seen += 1
        return self.seen - 1 == self.number

    def _do(self, connection: sa.Connection, statement: str) -> None:
        self.statement = statement
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        self.database.execute("SELECT pg_terminate_backend(%s)", (pid,))
        # Until the process has gone its session may still answer.
        with psycopg.connect(self.database.address, autocommit=True) as one:
            while one.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
                pass

    def before_cursor_execute(self, connection, cursor, statement, *_):
        """SQLAlchemy's event."""
        if not self.after and self._is_it(statement):
            self._do(connection, statement)

    def after_cursor_execute(self, connection, cursor, statement, *_):
        """SQLAlchemy's event."""
        if self.after and self._is_it(statement):
            self._do(connection, statement)


def cut_at(
    database: Database, number: int, after: bool, work: Callable[[], object], left_alone: str = ""
) -> Cut:
    """Do the work with one cut; the error that it brings is dropped, any other one is raised."""
    cut = Cut(database, number, after, left_alone)
    names = ("before_cursor_execute", "after_cursor_execute")
    for name in names:
        event.listen(Engine, name, getattr(cut, name))
    try:
        work()
    except Exception:
        if not cut.statement:
            raise
    finally:
        for name in names:
            event.remove(Engine, name, getattr(cut, name))
    return cut


def statements_cut(
    database: Database,
    prepare: Callable[[Database], object],
    work: Callable[[Database], object],
    check: Callable[[Database], object],
    left_alone: str = "",
) -> list[str]:
    """Cut before and after each statement in turn, each time from the start; after a second run `check` looks."""
    cut_statements = []
    for after in (False, True):
        number = 0
        while True:
            empty(database)
            prepare(database)
            cut = cut_at(database, number, after, lambda: work(database), left_alone)
            if not cut.statement:
                break
            cut_statements.append(cut.statement)
            work(database)
            check(database)
            number += 1
    return cut_statements


def empty(database: Database) -> None:
    """Drop everything in it: much cheaper than another database."""
    query = "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$)'"
    schemas = ", ".join(name for (name,) in database.rows(query))
    database.execute(f"DROP SCHEMA {schemas} CASCADE; CREATE SCHEMA public")
