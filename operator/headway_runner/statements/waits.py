"""Watches the statements of a run that take long: does one wait for a lock, and who holds it?

Rule: nothing is asked while statements are short. A thread looks by a session of its own, because the thread that
waits is inside the driver; that session is opened when a statement has run for a while and closed when it ends.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from headway_runner.connections.dbapi import SESSION, adapter_of, session_id
from headway_runner.connections.sessions import PREPARED
from headway_runner.connections.side_session import SideSession
from headway_runner.statements.blockers import Wait, mysql_wait, postgres_wait, sentence
from headway_runner.statements.transactions import beginning
from headway_runner.words.wording import describe, origin

LONGEST_INTERVAL_SECONDS = 1.0
SHORTEST_INTERVAL_SECONDS = 0.25
STALE_AFTER_SECONDS = 3.0
"""A look that is older than this when the statement fails saw another wait."""
KINDS: dict[str, Callable[..., Wait | None]] = {
    "postgresql": postgres_wait,
    "mysql": mysql_wait,
    "mariadb": mysql_wait,
}
"""By dialect: what the session of this id waits for."""
Tell = Callable[[float, str], None]
"""Told seconds of waiting and a sentence; an empty sentence when the statement goes on."""


@dataclass
class Statement:
    """One that is running."""

    engine: Engine
    session: int
    text: str
    started: float
    seen: Wait | None = None
    """What the last look saw that found it waiting."""
    seen_at: float = 0.0
    is_waiting: bool = False
    waiting_since: float = 0.0
    told_at: float | None = None
    told_pids: tuple[int, ...] = ()
    trouble: str = ""
    """Why the last look failed."""
    ended_at: float | None = None


@dataclass
class Waits:
    """The watch over one process. ``patience``: seconds of waiting that are told while they last."""

    interval: float
    patience: float
    heartbeat: float
    tell: Tell
    clock: Callable[[], float] = time.monotonic
    _running: dict[int, Statement] = field(default_factory=dict)
    _own: dict[int, None] = field(default_factory=dict)
    _failed: tuple[BaseException, Statement] | None = None
    _side: SideSession | None = None
    _side_engine: Engine | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def install(self) -> None:
        """Listen to all engines of this process."""
        event.listen(Engine, "before_cursor_execute", self._starts)
        event.listen(Engine, "after_cursor_execute", self._ends)
        event.listen(Engine, "handle_error", self._fails)

    def close(self) -> None:
        """End the watch."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(2 * LONGEST_INTERVAL_SECONDS)

    def explanation(self, error: BaseException) -> str:
        """Whom the statement that failed with this error waited for, as a sentence."""
        if not self._own:
            return "This kind of database does not tell who blocks."
        if self._failed is None or self._failed[0] is not origin(error):
            return "Who blocked it was not seen."
        statement = self._failed[1]
        age = (statement.ended_at or 0.0) - statement.seen_at
        if statement.seen is not None and age <= STALE_AFTER_SECONDS:
            return f"{beginning(statement.text)} waited for {self._words(statement.seen)}."
        if statement.trouble:
            return f"Who blocked it could not be asked: {statement.trouble.rstrip('.')}."
        return "Who blocked it was not seen."

    def _words(self, wait: Wait) -> str:
        return sentence(wait, frozenset(self._own))

    def _starts(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if connection.dialect.name not in KINDS:
            return
        session = connection.info.get(SESSION)
        if session is None:
            # Behind a pooler the driver's number is that of somebody else on the server.
            is_own = connection.info.get(PREPARED, True)
            session = connection.info[SESSION] = (session_id(adapter_of(connection)) or 0) if is_own else 0
        if not session:
            return
        self._own[session] = None
        self._running[id(cursor)] = Statement(connection.engine, session, statement, self.clock())
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="headway-waits", daemon=True)
            self._thread.start()

    def _ends(self, connection: Connection, cursor: Any, *_: Any) -> None:
        ended = self._take_out(cursor)
        if ended is not None and ended.told_at is not None:
            self.tell(0.0, "")

    def _fails(self, context: Any) -> None:
        ended = self._take_out(getattr(context.execution_context, "cursor", None))
        if ended is not None:
            self._failed = (context.original_exception, ended)

    def _take_out(self, cursor: Any) -> Statement | None:
        ended = self._running.pop(id(cursor), None)
        if ended is not None:
            ended.ended_at = self.clock()
        return ended

    def _watch(self) -> None:
        while not self._over.wait(self.interval):
            now = self.clock()
            # list() in one step: the other thread changes the dictionary.
            running = [one for one in list(self._running.values()) if now - one.started >= self.interval]
            for statement in running:
                self._look(statement, now)
            if not running:
                self._leave()
        self._leave()

    def _look(self, statement: Statement, now: float) -> None:
        try:
            found = self._ask(statement)
        except Exception as error:  # noqa: BLE001 - a look is help; whatever stops it is told with the failure
            statement.trouble = describe(error)
            self._leave()
            return
        statement.trouble = ""
        if found is not None:
            statement.waiting_since = statement.waiting_since if statement.is_waiting else now
            statement.seen, statement.seen_at = found, now
        statement.is_waiting = found is not None
        if statement.ended_at is None:
            self._report(statement, now)

    def _ask(self, statement: Statement) -> Wait | None:
        if self._side is None or self._side_engine is not statement.engine:
            self._leave()
            self._side, self._side_engine = SideSession(statement.engine), statement.engine
        return KINDS[statement.engine.dialect.name](self._side.ask, statement.session)

    def _report(self, statement: Statement, now: float) -> None:
        """Waits that last are told at once, when others come to block, and then with each heartbeat."""
        if not statement.is_waiting or statement.seen is None:
            if statement.told_at is not None:
                statement.told_at = None
                self.tell(0.0, "")
            return
        seconds, pids = now - statement.waiting_since, statement.seen.pids
        is_news = statement.told_at is None or statement.told_pids != pids
        if seconds > self.patience and (is_news or now - (statement.told_at or now) >= self.heartbeat):
            statement.told_at, statement.told_pids = now, pids
            self.tell(seconds, f"{beginning(statement.text)} waits for {self._words(statement.seen)}")

    def _leave(self) -> None:
        side, self._side, self._side_engine = self._side, None, None
        if side is not None:
            try:
                side.close()
            except Exception:  # noqa: BLE001 - it was being closed
                return


def interval_for(lock_timeout_seconds: float) -> float:
    """Seconds between looks: several fall into the shortest wait that can end in a time-out."""
    return min(max(lock_timeout_seconds / 4, SHORTEST_INTERVAL_SECONDS), LONGEST_INTERVAL_SECONDS)
