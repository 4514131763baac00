"""Indexes that an interrupted concurrent build left INVALID: PostgreSQL keeps them up to date and never uses them.

Rule: a revision that builds an index again, even with IF NOT EXISTS, must end with a valid one.
"""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from headway_runner.dbapi import adapter_of, end_stray_transaction, query
from headway_runner.transactions import is_autocommit

_INVALID = (
    "SELECT n.nspname, i.relname, t.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
    "JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = i.relnamespace "
    "WHERE NOT x.indisvalid AND i.relkind = 'i' ORDER BY 1, 2"
)
_NAME = r'(?:"[^"]+"|[\w$]+)'
_QUALIFIED = rf"{_NAME}(?:\s*\.\s*{_NAME})?"
_BUILDS = re.compile(
    r"\s*create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?"
    rf"(?P<index>{_QUALIFIED})\s+on\s+(?:only\s+)?(?P<table>{_QUALIFIED})",
    re.I,
)
_CONCURRENTLY = re.compile(r"\s*(create|drop|reindex|alter)\b[^;]*\bconcurrently\b", re.I)


def invalid_indexes(connection: Connection) -> tuple[str, ...]:
    """``schema.index`` of each invalid index; () on other databases than PostgreSQL."""
    if connection.dialect.name != "postgresql":
        return ()
    adapter = adapter_of(connection)
    found = tuple(f"{schema}.{index}" for schema, index, _ in query(adapter, _INVALID))
    if not connection.in_transaction():
        adapter.commit()
    return found


def built_index(statement: str) -> tuple[str, str] | None:
    """Names (index, table) of a concurrent build, without their schemas; None for other statements."""
    match = _BUILDS.match(statement)
    return (_last(match["index"]), _last(match["table"])) if match else None


def _last(qualified: str) -> str:
    """The last part of a name as the catalogue has it: unquoted names are in lower case."""
    part: str = re.findall(_NAME, qualified)[-1]
    return part[1:-1] if part.startswith('"') else part.lower()


class ConcurrentBuilds:
    """Prepares each concurrent statement of a revision."""

    def __init__(self, is_active: Callable[[], bool], tell: Callable[[str], None]) -> None:
        self._is_active = is_active
        self._tell = tell
        self.indexes: list[str] = []
        """Names of the indexes that were built."""

    def install(self) -> None:
        """Listen to all engines of this process."""
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)

    def _before(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if not self._concerns(connection, statement):
            return
        adapter = adapter_of(connection)
        end_stray_transaction(adapter)
        # A time-out would leave an invalid index, and waiting here blocks neither reads nor writes.
        connection.info["headway.lock_timeout"] = query(adapter, "SHOW lock_timeout")[0][0]
        query(adapter, "SET lock_timeout = 0")
        built = built_index(statement)
        if built is not None:
            self.indexes.append(built[0])
            self._drop_left_over(adapter, built)

    def _after(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if self._concerns(connection, statement):
            before = connection.info.pop("headway.lock_timeout")
            query(adapter_of(connection), f"SET lock_timeout = '{before}'")

    def _concerns(self, connection: Connection, statement: str) -> bool:
        """Inside a transaction PostgreSQL refuses the statement, so there is nothing to prepare."""
        return (
            self._is_active()
            and connection.dialect.name == "postgresql"
            and bool(_CONCURRENTLY.match(statement))
            and not _is_in_transaction(connection)
        )

    def _drop_left_over(self, adapter: Any, built: tuple[str, str]) -> None:
        for schema, index, table in query(adapter, _INVALID):
            if (index, table) == built:
                query(adapter, f"DROP INDEX CONCURRENTLY {_quoted(schema)}.{_quoted(index)}")
                self._tell(
                    f"The invalid index {schema}.{index}, left by an interrupted build, was dropped first."
                )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_in_transaction(connection: Connection) -> bool:
    """As the server sees it. Two statements have the same time only inside one transaction."""
    adapter = adapter_of(connection)
    if is_autocommit(connection):
        return False
    first, second = (query(adapter, "SELECT transaction_timestamp()::text")[0][0] for _ in range(2))
    return bool(first == second)
