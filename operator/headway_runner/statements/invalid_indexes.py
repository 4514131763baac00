"""Indexes that an interrupted concurrent build left INVALID: PostgreSQL keeps them up to date and never uses them.

Rule: a revision that builds an index again, even with IF NOT EXISTS, must end with a valid one; an index that another
session is building at this moment is invalid too, and neither dropped nor a failure.
"""

import re
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import Connection

from headway_contract.result import Failure
from headway_runner.connections.dbapi import adapter_of, query
from headway_runner.statements.index_catalog import InvalidIndex, invalid
from headway_runner.statements.index_statements import Build, Rebuild, built, rebuilt
from headway_runner.statements.transactions import is_autocommit
from headway_runner.words.run_failed import RunFailed

POLL_SECONDS = 0.5
_LEFT_BY_REINDEX = re.compile(r"_cc(new|old)\d*$")


def invalid_indexes(connection: Connection) -> tuple[InvalidIndex, ...]:
    """All of the database, also those that are being built; () on other databases than PostgreSQL."""
    if connection.dialect.name != "postgresql":
        return ()
    adapter = adapter_of(connection)
    found = invalid(adapter)
    if not connection.in_transaction():
        adapter.commit()
    return found


class ConcurrentBuilds:
    """Clears the way for each statement of a revision that builds an index."""

    def __init__(self, tell: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> None:
        self._tell = tell
        self._sleep = sleep
        self.indexes: list[str] = []
        """``schema.index`` of those that were built under a name."""

    def prepare(self, connection: Connection, statement: str) -> None:
        """Before the statement; raises :class:`RunFailed` when it would take an invalid index for a finished one."""
        if "index" not in statement.lower():
            return
        adapter = adapter_of(connection)
        build = built(statement)
        if build is None:
            again = rebuilt(statement)
            if again is not None and not is_in_transaction(connection):
                self._clear(adapter, _scope(again), lambda one: _is_left_by(again, one))
            return
        table = f"AND x.indrelid = to_regclass({literal(build.table)})"
        if not build.concurrently:
            if build.if_not_exists:
                self._refuse_invalid(adapter, table, build)
            return
        # Inside a transaction PostgreSQL refuses the statement, so there is nothing to prepare.
        if not is_in_transaction(connection):
            self._note(adapter, build)
            self._clear(adapter, table, lambda one: _is_the_same(build, one))

    def _note(self, adapter: Any, build: Build) -> None:
        """An index is always in the schema of its table."""
        rows = query(
            adapter,
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            f"WHERE c.oid = to_regclass({literal(build.table)})",
        )
        if rows and build.index:
            self.indexes.append(f"{rows[0][0]}.{build.index}")

    def _clear(self, adapter: Any, where: str, is_ours: Callable[[InvalidIndex], bool]) -> None:
        """Drop what an interrupted build left of this one; wait while another session is building it."""
        told: set[str] = set()
        while left := [one for one in invalid(adapter, where) if is_ours(one)]:
            for one in left:
                if one.builder is None:
                    query(adapter, f"DROP INDEX CONCURRENTLY IF EXISTS {one.quoted}")
                    self._tell(
                        f"The invalid index {one.shown}, left by an interrupted build, was dropped first."
                    )
                elif one.shown not in told:
                    told.add(one.shown)
                    self._tell(
                        f"Session {one.builder} is building the index {one.shown}: waiting for its end."
                    )
            if any(one.builder is not None for one in left):
                self._sleep(POLL_SECONDS)

    def _refuse_invalid(self, adapter: Any, where: str, build: Build) -> None:
        for one in invalid(adapter, where):
            if one.name == build.index and one.builder is None:
                raise RunFailed(
                    Failure(
                        "RevisionFailed",
                        f"The index {one.shown} is INVALID, left by an interrupted build, and CREATE INDEX IF NOT "
                        f"EXISTS would take it for a finished one. Remove it by DROP INDEX CONCURRENTLY "
                        f"{one.quoted}, then run again.",
                    )
                )


def _is_the_same(build: Build, one: InvalidIndex) -> bool:
    """The same name, or the same columns of a build that the server named."""
    if build.index:
        return one.name == build.index
    shown = built(one.definition)
    return shown is not None and shown.definition == build.definition


def _is_left_by(again: Rebuild, one: InvalidIndex) -> bool:
    """REINDEX builds a second index beside the first and names it after that."""
    return bool(_LEFT_BY_REINDEX.search(one.name))


def _scope(again: Rebuild) -> str:
    """The condition that finds what a REINDEX may have left."""
    if again.kind == "index":
        name = f"(SELECT relname FROM pg_class WHERE oid = to_regclass({literal(again.name)}))"
        table = f"(SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass({literal(again.name)}))"
        return f"AND x.indrelid = {table} AND starts_with(i.relname, {name}::text || '_cc')"
    if again.kind == "table":
        return f"AND x.indrelid = to_regclass({literal(again.name)})"
    if again.kind == "schema":
        return f"AND n.nspname = (parse_ident({literal(again.name)}))[1]"
    return ""


def literal(text: str) -> str:
    """A text as SQL takes it."""
    return "'" + text.replace("'", "''") + "'"


def is_in_transaction(connection: Connection) -> bool:
    """As the server sees it. Two statements have the same time only inside one transaction."""
    adapter = adapter_of(connection)
    if is_autocommit(connection):
        return False
    first, second = (query(adapter, "SELECT transaction_timestamp()::text")[0][0] for _ in range(2))
    return bool(first == second)
