"""Sessions of our own on the database of a migration connection, made as its own engine makes them.

Rule: the migration connection keeps the lock of the run and its settings; work that commits by itself, and looks from
beside, have their own. The same way to connect (the user's ``creator``, listeners, tokens) is used, never a stored
password. With an asynchronous driver a session has an event loop of its own, so it belongs to one thread.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.util.concurrency import greenlet_spawn

T = TypeVar("T")


class OwnSession:
    """One connection of its own, for one thread; raises whatever the driver raises."""

    def __init__(self, engine: Engine) -> None:
        self._loop = asyncio.new_event_loop() if getattr(engine.dialect, "is_async", False) else None
        self._engine = Engine(engine.pool.recreate(), engine.dialect, engine.url)
        self._connection: Connection = self._spawn(self._engine.connect)

    def do(self, work: Callable[[Connection], T]) -> T:
        """Let ``work`` use the connection; it must end the transactions that it begins."""
        return self._spawn(lambda: work(self._connection))

    def close(self) -> None:
        """End the session."""
        try:
            self._spawn(self._connection.close)
            self._spawn(self._engine.dispose)
        finally:
            if self._loop is not None:
                self._loop.close()

    def _spawn(self, function: Callable[[], T]) -> T:
        if self._loop is None:
            return function()
        found: T = self._loop.run_until_complete(greenlet_spawn(function))
        return found
