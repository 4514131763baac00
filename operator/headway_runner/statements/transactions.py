"""Watches the statements of a revision: has something of it been committed, and does it need the driver's help?

Rule: a COMMIT written as SQL raises no event in SQLAlchemy, so statements are read. In doubt a revision counts as
partly committed, because that only costs a retry. What the operations library commits in sessions of its own does not
count: a rerun finds it and goes on from there.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from headway_runner.connections.dbapi import adapter_of, bare
from headway_runner.statements.commands import commands
from headway_runner.statements.index_statements import uncommented

_ENDS = re.compile(r"(commit|end)\b(?!\s+prepared)|prepare\s+transaction\b", re.I)
_DROPS = re.compile(r"(rollback|abort)\b(?!\s+((work|transaction)\s+)?(to|prepared)\b)", re.I)
_CHAINS = re.compile(r".*\band\s+chain\b", re.I)
_BEGINS = re.compile(r"(begin|start\s+transaction)\b", re.I)
_HARMLESS = re.compile(
    r"(set|show|reset|savepoint|release|rollback(\s+(work|transaction))?\s+to)\b(?!\s+password)|select\s+1\s*$"
    r"|select\b(?=.*\bpg_catalog\.)(?!.*\b(into|setval|nextval|lo_\w+)\b)",
    re.I | re.S,
)
"""``SELECT 1`` is how an idle connection is kept alive."""
_CONCURRENTLY = re.compile(r"(create|drop|reindex)\b.*\bconcurrently\b", re.I | re.S)
_READS = re.compile(r"\s*(select|values|table|explain|fetch|declare|close)\b", re.I)
_KEEPS_NOTHING_ON_SQLITE = re.compile(
    r"(select|values|explain|pragma|attach|detach|analyze|reindex|vacuum)\b", re.I
)
_DEFINES = re.compile(
    r"(create|alter|drop|rename|truncate|grant|revoke|install|uninstall|import|set\s+password)\b", re.I
)
_COMMITS_FIRST = re.compile(
    r"(create|alter|drop|rename|truncate)\b(?!(\s+or\s+replace)?\s+(temporary|prepare)\b)", re.I
)
"""MySQL has certainly committed what was open by the time that one of these waits for a lock."""
_COMMITS_OTHERS = re.compile(
    r"(begin|start|stop|change|lock|unlock|analyze|check|optimize|repair|flush|reset|cache|load\s+index)\b"
    r"|set\b.*\bautocommit\b",
    re.I,
)
"""MySQL commits what was open before these, too. Of themselves nothing is left that a rerun would stumble over."""
_VALUES = re.compile(
    r"'|\$|\b(VALUES|SELECT|WHERE|DEFAULT)\b|\bSET\b(?!\s+(NOT|DATA|SCHEMA|STORAGE)\b)|(?<![\w\"])\d", re.I
)
_FOLLOW_THE_SERVER = ("psycopg", "psycopg_async", "pg8000")
_MYSQL = ("mysql", "mariadb")
RESUMABLE = "headway_resumable"
"""The execution option that the operations library sets on its own sessions."""
_LOCAL = re.compile(
    r"set\s+(local|constraints|transaction)\b|.*\bset_config\s*\(.*,\s*(true|'t(rue)?'|'on')\s*\)",
    re.I | re.S,
)


def notice_local_settings() -> list[str]:
    """A list that fills with what this process sets for one transaction: env.py does, when no revision runs."""
    seen: list[str] = []

    def before(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if is_local(statement):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", before)
    return seen


def is_local(statement: str) -> bool:
    """Whether it sets something for one transaction only."""
    return bool(_LOCAL.match(uncommented(statement)))


def beginning(statement: str) -> str:
    """Which statement it is, without any value that stands in it: at most 60 characters."""
    words = " ".join(statement.split())
    found = _VALUES.search(words)
    return (words[: found.start()] if found else words).strip(" (=<>")[:60] or words.split(" ")[0]


class TransactionWatch:
    """What happened in the revision that is running."""

    def __init__(self, tell: Callable[[tuple[str, ...]], None] = lambda kept: None) -> None:
        self._tell = tell
        """Told what has been committed, each time that it becomes more."""
        self.inside = False
        """The revision's own function is running."""
        self._own: dict[str, None] = {}
        """What the revision has committed, as the beginnings of its statements, in order."""
        self._earlier: dict[str, None] = {}
        """The same of earlier revisions whose version rows are in the open transaction: they would run again, too."""
        self._commits_them = False
        """The revision itself has begun a commit, and those rows with it; once a statement follows it was done."""
        self._is_over = False
        """The transaction with the version rows was ended, after the revision's own function was."""
        self.undone: dict[str, None] = {}
        """What was rolled back on a connection of the revision's own, in order: its version row does not tell."""
        self._migration: Any = None
        """The connection that Alembic works on, as the driver has it."""
        self._open: dict[int, list[str]] = {}
        """What a rollback would undo, by connection."""
        self._autocommit = False
        """The server's transaction was ended by a COMMIT written as SQL: each statement commits itself."""
        self._switched: list[Any] = []

    def install(self) -> None:
        """Listen to all engines of this process."""
        event.listen(Engine, "before_cursor_execute", self._starts)
        event.listen(Engine, "after_cursor_execute", self._executed)
        event.listen(Engine, "commit", self._commits)
        event.listen(Engine, "rollback", self._rolls_back)

    @property
    def kept(self) -> dict[str, None]:
        """What stays of what has no version row, should the revision fail now: in order."""
        return {**self._earlier, **self._own}

    def begin(self, connection: Connection | None = None) -> None:
        """A revision starts on this connection."""
        migration = None if connection is None else adapter_of(connection)
        if self._is_over or migration is not self._migration:
            self._earlier, self._autocommit = {}, False
        self._migration, self._is_over, self._commits_them = migration, False, False
        self.inside, self._own, self.undone, self._open = True, {}, {}, {}
        if self._earlier:
            self._tell(tuple(self.kept))

    def end(self, shares: bool = False) -> None:
        """A revision has ended: connections that were switched go back to transactions.

        ``shares``: the next one goes on in its transaction. Its version row is in that, too, unless it was committed.
        """
        is_recorded = not shares or self._autocommit
        self._earlier = {} if is_recorded else self.kept
        self.inside, self._own = False, {}
        self._autocommit = self._autocommit and shares and not self._switched
        while self._switched:
            self._switched.pop().autocommit = False

    def _starts(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        """What a text commits before its last command stays also when that fails, and nothing tells where it fails.

        MySQL commits what was open before a definition, also before one that then fails.
        """
        if not self.inside or is_resumable(connection):
            return
        found = commands(statement, connection.dialect.name)
        is_mysql = connection.dialect.name in _MYSQL
        commits_first = (
            is_mysql and self._is_migration(connection) and _COMMITS_FIRST.match("".join(found[:1]))
        )
        if self._commits_them or commits_first:
            self._earlier_are_done()
        kept = kept_by_parts(found, is_mysql)
        if kept is not None:
            self._keep([*self._taken(connection), *kept])

    def _executed(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if not self.inside or is_resumable(connection):
            return
        found = commands(statement, connection.dialect.name)
        # Gathered of the whole text: it may have thousands of commands, and each time all that is kept is told.
        kept: list[str] = []
        commits = has_ended = False
        for one in found:
            if _ENDS.match(one) or _DROPS.match(one):
                opened = self._taken(connection)
                if _ENDS.match(one):
                    kept.extend(opened)
                    commits = True
                self._autocommit = has_ended = not _CHAINS.match(one)
            elif _BEGINS.match(one):
                self._autocommit = has_ended = False
            elif is_change(one, connection.dialect.name in _MYSQL):
                if self._is_committed(connection, one):
                    kept.append(beginning(one))
                else:
                    self._open.setdefault(id(adapter_of(connection)), []).append(beginning(one))
        self._keep(kept)
        if commits and self._is_migration(connection):
            self._earlier_are_done()
        if has_ended and len(found) == 1:
            self._keep_out_of_transactions(connection)
        elif has_ended and connection.dialect.driver in _FOLLOW_THE_SERVER:
            self._autocommit = False

    def _is_committed(self, connection: Connection, statement: str) -> bool:
        """Once it has run. SQLite's definitions are part of a transaction as all else, and its drivers know of it."""
        if connection.dialect.name == "sqlite":
            is_open = getattr(bare(adapter_of(connection)), "in_transaction", None)
            if is_open is not None:
                return not (is_open or _KEEPS_NOTHING_ON_SQLITE.match(statement))
        implicit = connection.dialect.name != "postgresql" and bool(_DEFINES.match(statement))
        is_alone = implicit or is_autocommit(connection) or bool(_CONCURRENTLY.match(statement))
        return self._autocommit or is_alone

    def _commits(self, connection: Connection) -> None:
        self._notice_an_end(connection, self.inside)
        if self.inside and not is_resumable(connection):
            self._keep(self._taken(connection))
            self._autocommit = False

    def _notice_an_end(self, connection: Connection, commits_them: bool) -> None:
        if self._is_migration(connection):
            self._is_over = self._is_over or not self.inside
            self._commits_them = self._commits_them or commits_them

    def _is_migration(self, connection: Connection) -> bool:
        return self._migration is not None and adapter_of(connection) is self._migration

    def _earlier_are_done(self) -> None:
        """Their version rows are committed."""
        self._commits_them = False
        if self._earlier:
            self._earlier = {}
            self._tell(tuple(self.kept))

    def _keep(self, statements: list[str]) -> None:
        before = len(self._own)
        self._own.update(dict.fromkeys(statements))
        if len(self._own) > before:
            self._tell(tuple(self.kept))

    def _rolls_back(self, connection: Connection) -> None:
        if connection.invalidated or is_resumable(connection):
            return
        self._notice_an_end(connection, False)
        undone = self._taken(connection)
        if self.inside and not self._is_migration(connection):
            self.undone.update(dict.fromkeys(one for one in undone if not _READS.match(one)))
        else:
            self._autocommit = False

    def _taken(self, connection: Connection) -> list[str]:
        return self._open.pop(id(adapter_of(connection)), [])

    def _keep_out_of_transactions(self, connection: Connection) -> None:
        """Some drivers ask the server and would begin again at the next statement; psycopg2 and asyncpg do not."""
        if connection.dialect.driver in _FOLLOW_THE_SERVER:
            adapter = adapter_of(connection)
            if not adapter.autocommit:
                adapter.autocommit = True
                self._switched.append(adapter)


def is_change(command: str, is_mysql: bool) -> bool:
    """Whether it may do something that stays."""
    is_none = _BEGINS.match(command) or _ENDS.match(command) or _DROPS.match(command)
    is_harmless = _HARMLESS.match(command) or (is_mysql and _COMMITS_OTHERS.match(command))
    return bool(command) and not is_none and not is_harmless


def kept_by_parts(found: Sequence[str], is_mysql: bool) -> list[str] | None:
    """What is committed of a text, at the latest, when its last command begins; None: it commits nothing until then.

    The empty list: what was open before it.
    """

    def commits_before(number: int) -> bool:
        mine = is_mysql and bool(_DEFINES.match(found[number]) or _COMMITS_OTHERS.match(found[number]))
        return mine or (number > 0 and bool(_ENDS.match(found[number - 1])))

    last = next((number for number in reversed(range(len(found))) if commits_before(number)), None)
    return None if last is None else [beginning(one) for one in found[:last] if is_change(one, is_mysql)]


def is_resumable(connection: Connection) -> bool:
    """Whether it is one of the operations library's own."""
    return bool(connection.get_execution_options().get(RESUMABLE))


def is_autocommit(connection: Connection) -> bool:
    """The driver commits each statement, as the driver knows it: asking SQLAlchemy would send statements."""
    adapter = adapter_of(connection)
    if connection.dialect.name == "sqlite":
        return getattr(adapter, "isolation_level", "") is None
    # Drivers of MySQL have a function to ask; what they call autocommit is one to set it.
    ask = getattr(bare(adapter), "get_autocommit", None)
    return bool(ask()) if ask is not None else getattr(adapter, "autocommit", False) is True
