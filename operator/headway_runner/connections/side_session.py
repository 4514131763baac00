"""A second session on the database of a migration connection, made as its own engine makes them.

Rule: it is for a thread beside the one that works. With an asynchronous driver it has an event loop of its own.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.engine import Engine
from sqlalchemy.util.concurrency import greenlet_spawn

from headway_runner.connections.dbapi import query

T = TypeVar("T")


class SideSession:
    """One open session; raises whatever the driver raises."""

    def __init__(self, engine: Engine) -> None:
        self._loop = asyncio.new_event_loop() if engine.dialect.is_async else None
        # The same way to connect (the user's own, too) and the same listeners, without the engine's own connections.
        self._pool = engine.pool.recreate()
        self._connection: Any = self._do(self._pool.connect)

    def ask(self, statement: str) -> list[Any]:
        """Rows of a statement; no transaction is left open."""
        return self._do(lambda: self._ask(statement))

    def _ask(self, statement: str) -> list[Any]:
        rows = query(self._connection, statement)
        self._connection.commit()
        return rows

    def close(self) -> None:
        """End it."""
        self._do(self._connection.close)
        self._do(self._pool.dispose)
        if self._loop is not None:
            self._loop.close()

    def _do(self, function: Callable[[], T]) -> T:
        if self._loop is None:
            return function()
        found: T = self._loop.run_until_complete(greenlet_spawn(function))
        return found
