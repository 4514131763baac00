"""A look from beside at a statement that may take hours: what it tells, and the stop that ends it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.facts import Noticed, tell
from headway.place import Beside
from headway.sessions import OwnSession
from headway.short_locks import stop_if_wished
from headway.statements import execute, rows, sqlstate
from headway.wishes import parse

INTERVAL_SECONDS = 1.0
"""Between looks."""
Look = Callable[[Connection, int], None]
"""Told a session to ask and the server process that works."""


@contextmanager
def watching(beside: Beside, session: OwnSession, look: Look) -> Iterator[None]:
    """Look once in a while at what ``session`` does inside; a stop that is wished cancels it, once.

    The error of the cancelled statement comes out of the block first, for what must be tidied up, and then ends the
    pass by ``link.stop``.
    """
    ((pid,),) = session.do(_ask_pid)
    watch = _Watch(beside, int(pid), look)
    watch.start()
    try:
        yield
    except DBAPIError:
        watch.end()
        if watch.has_cancelled:
            stop_if_wished(beside.place.link)
        raise
    finally:
        watch.end()


def _ask_pid(connection: Connection) -> "list[tuple[int]]":
    with connection.begin():
        return rows(connection, "SELECT pg_backend_pid()")


class _Watch(threading.Thread):
    def __init__(self, beside: Beside, pid: int, look: Look) -> None:
        super().__init__(name="headway-watch", daemon=True)
        self.has_cancelled = False
        self._beside, self._pid, self._look = beside, pid, look
        self._link = beside.place.link
        self._over = threading.Event()
        self._trouble = ""

    def end(self) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Until the end; a look that fails is tried again, because the statement does not hang on it."""
        while not self._over.wait(INTERVAL_SECONDS):
            try:
                with self._beside.session() as session:
                    self._look_on(session)
            except DBAPIError as error:
                self._tell_trouble(error)

    def _look_on(self, session: OwnSession) -> None:
        while True:
            session.do(self._once)
            if self._over.wait(INTERVAL_SECONDS):
                return

    def _once(self, connection: Connection) -> None:
        with connection.begin():
            if not self.has_cancelled and parse(self._link.wishes()).stop:
                self.has_cancelled = True
                execute(connection, f"SELECT pg_cancel_backend({self._pid})")
            self._look(connection, self._pid)

    def _tell_trouble(self, error: DBAPIError) -> None:
        trouble = sqlstate(error) or type(error.orig).__name__
        if trouble != self._trouble:
            self._trouble = trouble
            tell(
                self._link, Noticed(f"How far it is cannot be read at present ({trouble}); the work goes on.")
            )
