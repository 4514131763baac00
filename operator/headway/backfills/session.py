"""The one session that a backfill works in, which can be made anew when it is lost."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Protocol, TypeVar

from sqlalchemy.engine import Connection

from headway.backfills.queries import run
from headway.backfills.servers import Server
from headway.place import Beside
from headway.throttle.own import OwnWork, session_number

T = TypeVar("T")
PING_SECONDS = 30.0


class Session(Protocol):
    """Raises whatever the driver raises."""

    def do(self, work: Callable[[Connection], T]) -> T:
        """Let ``work`` use the connection."""

    def renew(self) -> None:
        """Another connection, the old one having failed."""

    def close(self) -> None:
        """End it."""


class SessionBeside:
    """Beside the migration connection, which stays idle."""

    def __init__(self, beside: Beside, server: Server, own: OwnWork) -> None:
        """``own`` is told the number of each session."""
        self._beside = beside
        self._server = server
        self._own = own
        self._stack = ExitStack()
        self._open()

    def _open(self) -> None:
        self._session = self._stack.enter_context(self._beside.session())
        self._session.do(self._server.prepare)
        self._own.works_in(self._session.do(session_number))

    def do(self, work: Callable[[Connection], T]) -> T:
        """In the thread of the session."""
        return self._session.do(work)

    def renew(self) -> None:
        """Whatever the old one says to its end."""
        self.close()
        self._open()

    def close(self) -> None:
        """A lost connection may fail to be closed, and nothing depends on it."""
        with suppress(Exception):
            self._stack.close()
        self._stack = ExitStack()


class KeptAlive:
    """The idle migration connection: it holds the lock of the run, and networks cut what is silent for
    long.
    """

    def __init__(self, connection: Connection, clock: Callable[[], float]) -> None:
        """It was used a moment ago."""
        self._connection = connection
        self._clock = clock
        self._used = clock()

    def __call__(self) -> None:
        """Say something from time to time. Raises what the driver raises, for then the run has lost its
        lock.
        """
        if self._clock() - self._used >= PING_SECONDS:
            self._used = self._clock()
            run(self._connection, "SELECT 1").close()


class SessionItself:
    """The migration connection: a second one to SQLite would lock it out, or see another database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def do(self, work: Callable[[Connection], T]) -> T:
        """At once."""
        return work(self._connection)

    def renew(self) -> None:
        """It is Alembic's, so it cannot be."""

    def close(self) -> None:
        """It is Alembic's."""
