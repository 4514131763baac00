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
    seen: int = 0
    statement: str = ""
    """Where it was cut, "" when there were fewer statements."""

    def _is_it(self, statement: str) -> bool:
        if READS.match(statement) or self.statement:
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


def cut_at(database: Database, number: int, after: bool, work: Callable[[], object]) -> Cut:
    """Do the work with one cut; the error that it brings is dropped, any other one is raised."""
    cut = Cut(database, number, after)
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
    make: Callable[[], Database], work: Callable[[Database], object], check: Callable[[Database], object]
) -> list[str]:
    """Cut before and after each statement in turn, on a database of its own; after a second run `check` looks."""
    cut_statements = []
    for after in (False, True):
        number = 0
        while True:
            database = make()
            cut = cut_at(database, number, after, lambda: work(database))  # noqa: B023
            if not cut.statement:
                break
            cut_statements.append(cut.statement)
            work(database)
            check(database)
            number += 1
    return cut_statements
