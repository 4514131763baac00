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


class SameSession(Exception):
    """A session that was made to work beside another is that one; the text says why."""


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

    def __init__(self, beside: Beside, server: Server, own: OwnWork, is_further: bool = False) -> None:
        """``own`` is told the number of each session. Raises what the driver raises, and for a further one
        :class:`SameSession`.
        """
        self._beside = beside
        self._server = server
        self._own = own
        self._is_further = is_further
        self._stack = ExitStack()
        self._number: int | None = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._session = self._stack.enter_context(self._beside.session())
        self._session.do(self._server.prepare)
        number = self._session.do(session_number)
        if self._is_further and number in self._own.sessions:
            raise SameSession("the server shows the sessions as one: a pooler shares them")
        self._number = number
        self._own.joins(number)

    def do(self, work: Callable[[Connection], T]) -> T:
        """In the thread of the session."""
        return self._session.do(work)

    def renew(self) -> None:
        """Whatever the old one says to its end."""
        self.close()
        self._open()

    def close(self) -> None:
        """A lost connection may fail to be closed, and nothing depends on it."""
        if self._number is not None:
            self._own.leaves(self._number)
            self._number = None
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
