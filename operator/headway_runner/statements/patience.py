"""Statements that may wait for as long as it takes: whoever comes after them is not held up by their waiting.

- CREATE and DROP INDEX CONCURRENTLY, REINDEX … CONCURRENTLY, DETACH PARTITION … CONCURRENTLY wait with SHARE UPDATE
  EXCLUSIVE or less, never inside a transaction. A time-out would leave an INVALID index or a half detached partition.
- ALTER TABLE … VALIDATE CONSTRAINT, with no other change in it (SHARE UPDATE EXCLUSIVE), and REFRESH MATERIALIZED
  VIEW CONCURRENTLY (EXCLUSIVE, on what nobody writes): as long as their transaction has neither locked nor written
  anything of the users'. Else the short time-out stays, because all that would be held for as long as they wait.
- ALTER DOMAIN … VALIDATE CONSTRAINT is none of them: its lock holds up writers.

Rule: a time-out that the revision, env.py or the role has set itself is left as it is.
"""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from headway_runner.connections.dbapi import adapter_of, end_stray_transaction, query
from headway_runner.statements.index_statements import uncommented
from headway_runner.statements.invalid_indexes import is_in_transaction, literal

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_TABLE = rf"alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?{_NAME}(?:\s*\.\s*{_NAME})?(?:\s*\*)?\s+"
_VALIDATE = rf"validate\s+constraint\s+{_NAME}"
_ALONE = re.compile(
    r"(?:create\s+(?:unique\s+)?|drop\s+)index\s+concurrently\b"
    r"|reindex\s+\w+\s+concurrently\b|reindex\s*\([^)]*\bconcurrently\b"
    rf"|{_TABLE}detach\s+partition\s+\S+\s+concurrently\b",
    re.I,
)
_ANYWHERE = re.compile(
    rf"{_TABLE}{_VALIDATE}(?:\s*,\s*{_VALIDATE})*\s*;?\s*$|refresh\s+materialized\s+view\s+concurrently\b",
    re.I,
)
_SETS = re.compile(r"set\s+(?:session\s+)?lock_timeout\b|.*\bset_config\s*\(\s*'lock_timeout'", re.I | re.S)
_FIRST_OF_USERS = 16384
"""The lowest oid of what users make: locks on the catalogue hold up nobody's data."""
_HOLDS = (
    "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted "
    f"AND mode <> 'AccessShareLock' AND relation >= {_FIRST_OF_USERS} "
    "AND relation NOT IN (SELECT indexrelid FROM pg_index WHERE indrelid = {table}) "
    "AND relation IS DISTINCT FROM {table}"
)
"""Alembic's own version table, perhaps just made, does not count: nobody but another run reads it."""
_SAVED, _OWN = "headway.lock_timeout", "headway.own_lock_timeout"


class Patience:
    """Takes the time-out away for such a statement of a revision, and puts it back however the statement ends."""

    def __init__(
        self,
        lock_timeout_seconds: int,
        is_active: Callable[[], bool],
        prepare: Callable[[Connection, str], None],
    ) -> None:
        self._milliseconds = str(lock_timeout_seconds * 1000)
        self._is_active = is_active
        self._prepare = prepare
        """Called in between, with the time-out already gone."""
        self.version_table = ""
        """As a statement takes it."""

    def install(self) -> None:
        """Listen to all engines of this process."""
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        event.listen(Engine, "handle_error", self._failed)

    def _before(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if not self._is_active() or connection.dialect.name != "postgresql":
            return
        end_stray_transaction(adapter_of(connection))
        text = uncommented(statement)
        if "lock_timeout" in text.lower() and _SETS.match(text):
            connection.info[_OWN] = True
        if _ALONE.match(text) or _ANYWHERE.match(text):
            self._take_away(connection, alone=bool(_ALONE.match(text)))
        try:
            self._prepare(connection, statement)
        except BaseException:
            self._put_back(connection)
            raise

    def _take_away(self, connection: Connection, alone: bool) -> None:
        adapter = adapter_of(connection)
        if connection.info.get(_OWN):
            return
        inside = is_in_transaction(connection)
        holds = _HOLDS.format(table=f"to_regclass({literal(self.version_table)})::oid")
        if inside and (alone or query(adapter, holds)[0][0]):
            return
        if (
            query(adapter, "SELECT setting FROM pg_settings WHERE name = 'lock_timeout'")[0][0]
            != self._milliseconds
        ):
            return
        query(adapter, "SET lock_timeout = 0")
        connection.info[_SAVED] = inside

    def _after(self, connection: Connection, *_: Any) -> None:
        self._put_back(connection, also_inside=True)

    def _failed(self, context: Any) -> None:
        if context.connection is not None and not context.is_disconnect:
            self._put_back(context.connection)

    def _put_back(self, connection: Connection, also_inside: bool = False) -> None:
        """After an error a transaction takes no statement, and its rollback puts the time-out back."""
        if connection.invalidated or _SAVED not in connection.info:
            return
        inside = connection.info.pop(_SAVED)
        if also_inside or not inside:
            query(adapter_of(connection), f"SET lock_timeout = {self._milliseconds}")
