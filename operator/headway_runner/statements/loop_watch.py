"""Tells the batched loops that revisions write by hand, with the catalog's estimate of how many rows there are.

Rule: a statement costs one look at its first word; the estimate is asked for once, beside the work, if a loop lasts.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from headway_contract.events import BackfillProgressed
from headway_runner.connections.side_session import SideSession
from headway_runner.statements.loops import Loop, Loops
from headway_runner.statements.transactions import is_resumable

_ESTIMATES = {
    "postgresql": "SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = to_regclass('{}') AND reltuples > 0",
    "mysql": "SELECT table_rows FROM information_schema.tables WHERE table_schema = database() AND table_name = '{}'",
}
_ESTIMATES["mariadb"] = _ESTIMATES["mysql"]
Tell = Callable[[BackfillProgressed], None]


class LoopWatch:
    """Listens to the statements of one pass."""

    def __init__(self, database: str, is_inside: Callable[[], bool], tell: Tell) -> None:
        """``is_inside``: whether a revision's own code runs, and no backfill of the library."""
        self._database = database
        self._is_inside = is_inside
        self._tell = tell
        self._loops = Loops()
        self._estimates: dict[str, int | None] = {}

    def install(self) -> None:
        """Listen to all engines of this process."""
        event.listen(Engine, "after_cursor_execute", self._executed)

    def clear(self) -> None:
        """A revision has ended."""
        self._loops.clear()

    def _executed(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if not self._is_inside() or is_resumable(connection):
            return
        loop = self._loops.executed(statement, getattr(cursor, "rowcount", -1), time.monotonic())
        if loop is not None:
            self._told(loop, connection)

    def _told(self, loop: Loop, connection: Connection) -> None:
        table = loop.table
        if table not in self._estimates:
            self._estimates[table] = None
            work = threading.Thread(target=self._estimate, args=(connection.engine, table), daemon=True)
            work.start()
        total = self._estimates[table]
        self._tell(
            BackfillProgressed(
                self._database,
                loop.operation,
                table,
                loop.rows,
                total if total is not None and total >= loop.rows else None,
                rows_per_second=round(loop.rows_per_second, 1),
            )
        )

    def _estimate(self, engine: Engine, table: str) -> None:
        """How many rows the whole table has; a loop over a part of it ends before."""
        statement = _ESTIMATES.get(engine.dialect.name)
        if statement is None:
            return
        try:
            session = SideSession(engine)
            try:
                rows = session.ask(statement.format(table.replace("'", "''").replace("%", "%%")))
            finally:
                session.close()
        except Exception:  # noqa: BLE001 - it is told without a total then, as for a server that has no estimate
            return
        if rows and rows[0][0]:
            self._estimates[table] = int(rows[0][0])
