"""`alembic upgrade head` as a process that is killed at a chosen moment.

The moments are those at which a checkpoint and the rows may part: before, in and after a COMMIT, with a statement on
its way or just done. The process tells that it is there and waits for its end or for a word to go on, or runs on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from alembic.config import CommandLine
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

from support.kills.children import redirect

AFTER_STATEMENT = "after the statement"
STATEMENT_SENT = "with the statement on its way"
BEFORE_COMMIT = "before COMMIT"
COMMIT_SENT = "with COMMIT on its way"
IN_COMMIT = "in COMMIT, its answer unread"
AFTER_COMMIT = "after COMMIT"
ANY_TIME = "at any time"
KINDS = (ANY_TIME, AFTER_STATEMENT, STATEMENT_SENT, BEFORE_COMMIT, COMMIT_SENT, IN_COMMIT, AFTER_COMMIT)
COMMIT = "COMMIT"
"""A statement like others where the library begins and ends transactions itself: on SQLite."""
RUNS_ON = (STATEMENT_SENT, COMMIT_SENT)
"""There the process does not wait: the kill races with the server."""


@dataclass(frozen=True)
class Moment:
    """When a process is to be killed."""

    kind: str
    number: int = 0
    """Which statement or COMMIT that changes the table, counted from 1."""
    seconds: float = 0.0
    """For ANY_TIME: after its start."""

    def __str__(self) -> str:
        return f"{self.kind} {self.number or ''}{f'({self.seconds:.3f} s)' if self.seconds else ''}".strip()


def upgrade(config: Path, log: Path, moment: Moment | None, told: Connection) -> None:
    """Runs in a process of its own; sends ``update`` at its first change of rows and ``there`` at the moment."""
    redirect(log)
    _Watch(moment or Moment(ANY_TIME), told).begin()
    CommandLine(prog="alembic").main(["-c", str(config), "upgrade", "head"])


class _Watch:
    """Counts the transactions that change rows of the table; everything else passes."""

    def __init__(self, moment: Moment, told: Connection) -> None:
        self.moment = moment
        self.told = told
        self.statements = 0
        self.commits = 0
        self.here = threading.local()
        """Of each thread: sessions that share the work."""
        self.counting = threading.Lock()

    def begin(self) -> None:
        """See every engine of this process, whoever makes it."""
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        usual = DefaultDialect.do_commit

        def do_commit(dialect: DefaultDialect, connection: object) -> None:
            self._commit(connection, lambda: usual(dialect, connection))

        DefaultDialect.do_commit = do_commit

    def _before(self, _1: object, _2: object, statement: str, *_: object) -> None:
        if statement == COMMIT:
            self._before_commit()
        if not _changes_rows(statement):
            return
        with self.counting:
            if not self.statements:
                self.told.send(("update", time.monotonic()))
            self.statements += 1
            self.here.statement = self.statements
        self.here.has_changed = True
        self._is_there(STATEMENT_SENT, self.here.statement)

    def _after(self, _1: object, _2: object, statement: str, *_: object) -> None:
        if statement == COMMIT:
            self._after_commit()
        if _changes_rows(statement):
            self._is_there(AFTER_STATEMENT, self.here.statement)

    def _commit(self, connection: object, usual: Callable[[], None]) -> None:
        self._before_commit(connection)
        usual()
        self._after_commit()

    def _before_commit(self, connection: object = None) -> None:
        self.here.commit = 0
        if not getattr(self.here, "has_changed", False):
            return
        self.here.has_changed = False
        with self.counting:
            self.commits += 1
            self.here.commit = self.commits
        self._is_there(BEFORE_COMMIT, self.here.commit)
        if self.moment == Moment(IN_COMMIT, self.here.commit):
            connection.pgconn.send_query(b"COMMIT")
            connection.pgconn.flush()
        self._is_there(IN_COMMIT, self.here.commit)
        self._is_there(COMMIT_SENT, self.here.commit)

    def _after_commit(self) -> None:
        self._is_there(AFTER_COMMIT, self.here.commit)

    def _is_there(self, kind: str, number: int) -> None:
        if (kind, number) != (self.moment.kind, self.moment.number):
            return
        self.told.send(("there", time.monotonic()))
        if kind not in RUNS_ON:
            self.told.recv()


def _changes_rows(statement: str) -> bool:
    words = statement.upper()
    return "UPDATE" in words and "ITEMS" in words and "FOR UPDATE" not in words and "SET" in words
