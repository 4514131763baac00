"""Sessions of our own on the database of a migration connection, made as its own engine makes them.

Rule: the migration connection keeps the lock of the run and its settings; work that commits by itself, and looks from
beside, have their own. The same way to connect (the user's ``creator``, listeners, tokens) is used, never a stored
password. With an asynchronous driver a session has an event loop of its own, in a thread of its own: the thread that
asks may be inside another loop, that of env.py. Errors name no parameters: they are keys and values of rows.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.util.concurrency import greenlet_spawn

T = TypeVar("T")
RESUMABLE = "headway_resumable"
"""The execution option of these sessions: a rerun finds what was committed in them. Who drives Alembic may look."""


class OwnSession:
    """One connection of its own, for one thread at a time; raises whatever the driver raises.

    ``autocommit``: each statement commits itself, as what PostgreSQL does concurrently needs it.
    """

    def __init__(self, engine: Engine, autocommit: bool = False) -> None:
        is_async = getattr(engine.dialect, "is_async", False)
        self._thread = ThreadPoolExecutor(1, "headway-session") if is_async else None
        self._loop = asyncio.new_event_loop() if is_async else None
        marked = {RESUMABLE: True}
        self._engine = Engine(
            engine.pool.recreate(), engine.dialect, engine.url, execution_options=marked, hide_parameters=True
        )
        self._options = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
        try:
            self._connection: Connection = self._spawn(self._connect)
        except BaseException:
            self._end()
            raise

    def do(self, work: Callable[[Connection], T]) -> T:
        """Let ``work`` use the connection; it must end the transactions that it begins."""
        return self._spawn(lambda: work(self._connection))

    def close(self) -> None:
        """End the session."""
        try:
            self._spawn(self._connection.close)
            self._spawn(self._engine.dispose)
        finally:
            self._end()

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        return connection.execution_options(**self._options) if self._options else connection

    def _end(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        if self._loop is not None:
            self._loop.close()

    def _spawn(self, function: Callable[[], T]) -> T:
        if self._thread is None:
            return function()
        return self._thread.submit(self._in_the_loop, function).result()

    def _in_the_loop(self, function: Callable[[], T]) -> T:
        assert self._loop is not None
        found: T = self._loop.run_until_complete(greenlet_spawn(function))
        return found
