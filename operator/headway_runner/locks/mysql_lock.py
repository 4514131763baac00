"""The migration lock on MySQL and MariaDB, and how a session whose node is lost is told from one that is slow.

Neither server looks for its clients: a session of a lost node lives for hours, and so does its lock. The session that
works cannot be given a short time-out, because a revision may be busy elsewhere for as long as it likes. So beside it
there is a second session, which does nothing but say every few seconds that the runner is alive. That one has a short
time-out, and a lock of its own: once the server has ended it, a run that waits ends the session that worked. One that
keeps the locks of many version tables has one second session for all of them.

Rule: a session is only ended by the server itself, so no two work at a time even if the suspicion is wrong; and only
one that has shown before that it has such a second session.
"""

import threading
import time
import zlib
from collections.abc import Callable

from sqlalchemy.engine import Connection, Engine

from headway_contract.records import dataclass
from headway_runner.connections.dbapi import adapter_of, query
from headway_runner.connections.keepalive import IDLE_SECONDS, LOST_AFTER_SECONDS
from headway_runner.connections.side_session import SideSession
from headway_runner.locks.kept import when_committed
from headway_runner.locks.lock_holder import told_holder
from headway_runner.statements.blockers import mysql_session
from headway_runner.words.reports import say

SILENT_SECONDS = 30
"""How long nobody may have given a sign of life before a session is ended: a lost second session is opened again."""
OPEN_AGAIN_SECONDS = 5
WAIT_FOR_IT_SECONDS = 15
FIRST_WITH_SEVERAL_LOCKS = (5, 7, 5)
"""Before, a session that took a second named lock lost its first. MariaDB's numbers are higher."""


class MySqlLock:
    """A named lock; it is of the whole server, so the name has the schema in it (at most 64 characters)."""

    def __init__(self, connection: Connection, key: int) -> None:
        self._connection = connection
        self._adapter = adapter_of(connection)
        self._engine = connection.engine
        self._has_several = (connection.dialect.server_version_info or ()) >= FIRST_WITH_SEVERAL_LOCKS
        schema = query(self._adapter, "SELECT database()")[0][0]
        self._name = f"headway_{zlib.crc32(str(schema).encode())}_{key}"
        self._session = 0
        self._suspicion = Suspicion()

    def try_to_take(self) -> bool:
        """``GET_LOCK`` with no waiting; a holder that is lost is ended."""
        if not query(self._adapter, f"SELECT GET_LOCK('{self._name}', 0)")[0][0]:
            self._end_a_lost_holder()
            return False
        if self._has_several:
            # A proxy may answer for connection_id() itself.
            self._session = int(query(self._adapter, f"SELECT IS_USED_LOCK('{self._name}')")[0][0])
            session = (id(self._adapter), self._session)
            if begins_to_show_life(session, lambda: SignOfLife(self._engine, alive(self._session))):
                query(self._adapter, f"SELECT GET_LOCK('{watched(self._session)}', 0)")
        return True

    def release(self, failed: bool = False) -> None:
        """``RELEASE_LOCK``."""
        adapter, session, name = self._adapter, self._session, self._name

        def give_back() -> None:
            if ends_to_show_life((id(adapter), session)):
                query(adapter, f"SELECT RELEASE_LOCK('{watched(session)}')")
            query(adapter, f"SELECT RELEASE_LOCK('{name}')")

        if not self._connection.closed:
            when_committed(self._connection, give_back)

    def holder(self) -> str:
        """``IS_USED_LOCK``; other users' sessions are in the process list only for who may see them."""
        session = query(self._adapter, f"SELECT IS_USED_LOCK('{self._name}')")[0][0]
        if not session:
            return ""
        return told_holder(mysql_session(lambda ask: query(self._adapter, ask), int(session)), is_ours=True)

    def _end_a_lost_holder(self) -> None:
        holder = query(self._adapter, f"SELECT IS_USED_LOCK('{self._name}')")[0][0]
        names = ", ".join(f"IS_USED_LOCK('{name}')" for name in (watched(holder), alive(holder)))
        (seen,) = query(self._adapter, f"SELECT {names}")
        session = self._suspicion.looked(Holders(holder, *seen), time.monotonic())
        if session is None:
            return
        say(f"session {session} has the lock, and its runner is gone for {SILENT_SECONDS} s: it is ended")
        try:
            query(self._adapter, f"KILL {session}")
        except Exception as error:  # noqa: BLE001 - of each driver another: another user's session, or just gone
            say(f"session {session} could not be ended (KILL {session} by its own user does): {error}")


def alive(session: int | None) -> str:
    """The lock of the second session beside this one."""
    return f"headway_{session}_alive"


def watched(session: int | None) -> str:
    """The lock of this session, once it has a second."""
    return f"headway_{session}_watched"


@dataclass(frozen=True)
class Holders:
    """Which sessions hold the three locks; None: nobody."""

    lock: int | None
    watched: int | None
    alive: int | None

    @property
    def lost(self) -> int | None:
        """The session that works, if it had a second one, and that is gone."""
        return (
            self.lock if self.lock is not None and self.lock == self.watched and self.alive is None else None
        )


class Suspicion:
    """Whether a holder has been without a sign of life for so long that it is lost. Pure."""

    def __init__(self) -> None:
        self._session: int | None = None
        self._since = 0.0

    def looked(self, holders: Holders, now: float) -> int | None:
        """The session to end; ``now`` in seconds."""
        if holders.lost is None or holders.lost != self._session:
            self._session, self._since = holders.lost, now
            return None
        if now - self._since < SILENT_SECONDS:
            return None
        self._since = now
        return self._session


class SignOfLife:
    """A thread with a session of its own, which the server ends when it hears nothing of it."""

    def __init__(
        self, engine: Engine, name: str, open_session: Callable[[Engine], SideSession] = SideSession
    ) -> None:
        self._engine = engine
        self._name = name
        self._open_session = open_session
        self._ending = threading.Event()
        self._tried = threading.Event()
        self._is_there = False
        threading.Thread(target=self._run, name="headway-alive", daemon=True).start()

    def has_begun(self) -> bool:
        """Whether it could be given at once; waits for the first attempt."""
        self._tried.wait(WAIT_FOR_IT_SECONDS)
        return self._is_there

    def end(self) -> None:
        """Give no more."""
        self._ending.set()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._give(self._open_session(self._engine))
            except Exception as error:  # noqa: BLE001 - of each driver another; it is opened again
                say(f"the session that says that this run is alive was lost: {type(error).__name__}")
            self._tried.set()
            self._ending.wait(OPEN_AGAIN_SECONDS)

    def _give(self, session: SideSession) -> None:
        try:
            session.ask(f"SET SESSION wait_timeout = {LOST_AFTER_SECONDS}")
            if not session.ask(f"SELECT GET_LOCK('{self._name}', 0)")[0][0]:
                return
            self._is_there = True
            self._tried.set()
            while not self._ending.wait(IDLE_SECONDS):
                session.ask("SELECT 1")
        finally:
            session.close()


_Session = tuple[int, int]
"""Its connection, and its number: another server may have given the same one."""
_signs: dict[_Session, tuple[SignOfLife, int]] = {}
"""Of the sessions of this process that work, each with the number of its locks."""


def begins_to_show_life(session: _Session, begin: Callable[[], SignOfLife]) -> bool:
    """One lock more; whether it is the first, and the sign could be given."""
    if session in _signs:
        sign, number = _signs[session]
        _signs[session] = (sign, number + 1)
        return False
    _signs[session] = (begin(), 1)
    return _signs[session][0].has_begun()


def ends_to_show_life(session: _Session) -> bool:
    """One lock less; whether it was the last, and the sign is over: also when the session itself is broken."""
    if session not in _signs:
        return False
    sign, number = _signs.pop(session)
    if number > 1:
        _signs[session] = (sign, number - 1)
        return False
    sign.end()
    return True
