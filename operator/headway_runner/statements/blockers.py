"""Who blocks: what a server tells of the sessions that a waiting one waits for, as sentences for people.

Rule: of another session's statement only its first words are told, up to the first value in it. What the server
hides from this role is said to be hidden; nothing is guessed.
"""

import re
from collections.abc import Callable
from typing import Any

from headway_contract.records import dataclass
from headway_runner.statements.transactions import beginning
from headway_runner.words.secrecy import mask

SHOWN = 3
"""How many blockers a sentence names; the others are counted."""
Ask = Callable[[str], list[Any]]
"""Rows of a statement, in a session of its own."""

_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.S)
_READS = re.compile(r'\s*select\s+[a-z_*"(][^\'$;:]*?\sfrom\s+("?[a-z_][\w."]*)', re.I)
_NUMBER = re.compile(r"(?<![\w\"])\d")
_HIDDEN = "<insufficient privilege>"

_IS_WAITING = "SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'"
SESSION_COLUMNS = """a.application_name, a.usename::text, a.state, a.backend_type, a.query,
  extract(epoch FROM clock_timestamp() - a.state_change)::int,
  extract(epoch FROM clock_timestamp() - a.xact_start)::int, a.wait_event_type = 'Lock'"""
"""Of ``pg_stat_activity a``, as :func:`postgres_blocker` reads them between the process id and the modes of locks.

All are NULL where there is no such session: a prepared transaction, or one that has just ended.
"""
_BLOCKERS = f"""
SELECT DISTINCT ON (b.pid) b.pid, {SESSION_COLUMNS},
  (SELECT string_agg(DISTINCT h.mode, ', ') FROM pg_locks h
   WHERE h.pid = b.pid AND h.granted AND h.locktype = 'relation' AND w.locktype = 'relation'
   AND h.database = w.database AND h.relation = w.relation),
  w.mode, w.locktype, w.relation::regclass::text
FROM (SELECT * FROM pg_locks WHERE pid = {{pid}} AND NOT granted LIMIT 1) w
CROSS JOIN unnest(pg_blocking_pids({{pid}})) b(pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid
"""
_ROW_BLOCKERS = (
    "SELECT DISTINCT b.trx_mysql_thread_id FROM information_schema.innodb_lock_waits w "
    "JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id "
    "JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id "
    "WHERE r.trx_mysql_thread_id = {session}",
    "SELECT DISTINCT blocking_pid FROM sys.innodb_lock_waits WHERE waiting_pid = {session}",
)
"""MariaDB, then MySQL 8."""
_METADATA_BLOCKERS = (
    "SELECT DISTINCT h.processlist_id FROM performance_schema.metadata_locks w "
    "JOIN performance_schema.threads t ON t.thread_id = w.owner_thread_id "
    "JOIN performance_schema.metadata_locks g ON g.object_type = w.object_type "
    "AND g.object_schema = w.object_schema AND g.object_name = w.object_name AND g.lock_status = 'GRANTED' "
    "JOIN performance_schema.threads h ON h.thread_id = g.owner_thread_id "
    "WHERE w.lock_status = 'PENDING' AND t.processlist_id = {session} AND h.processlist_id <> {session}"
)
_OPEN_TRANSACTIONS = (
    "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> {session} "
    "ORDER BY trx_started"
)
_OBJECTS = {
    "transactionid": "the end of a transaction",
    "virtualxid": "the end of a transaction",
    "advisory": "an advisory lock",
}


@dataclass(frozen=True)
class Blocker:
    """A session that stands in the way; None and "" where the server does not tell."""

    pid: int
    """0: a prepared transaction, which has no session."""
    application: str = ""
    user: str = ""
    state: str = ""
    kind: str = ""
    """Of server process, "" for a client's."""
    statement: str = ""
    """What it runs or ran last, whole."""
    state_seconds: int | None = None
    transaction_seconds: int | None = None
    waits_itself: bool = False
    holds: str = ""
    """Modes of its locks on the same table."""
    is_hidden: bool = False
    """The server shows this role neither its state nor its statement."""


@dataclass(frozen=True)
class Wait:
    """What a session waits for, and for whom."""

    wanted: str
    """A lock mode and its object."""
    blockers: tuple[Blocker, ...] = ()
    remark: str = ""
    """Why no blocker is known."""

    @property
    def pids(self) -> tuple[int, ...]:
        """Which sessions block."""
        return tuple(one.pid for one in self.blockers)


def postgres_wait(ask: Ask, pid: int) -> Wait | None:
    """What the session of this server process waits for, None when it waits for no lock."""
    # The cheap question first: pg_blocking_pids stops the whole lock table for a moment.
    if not ask(_IS_WAITING.format(pid=pid)):
        return None
    rows = ask(_BLOCKERS.format(pid=pid))
    if not rows:
        return None
    return Wait(wanted(*rows[0][10:]), tuple(postgres_blocker(row[:10]) for row in rows))


def mysql_session(ask: Ask, session: int) -> Blocker:
    """A session as the process list shows it to this user."""
    rows = ask(
        f"SELECT user, command, time, info FROM information_schema.processlist WHERE id = {int(session)}"
    )
    if not rows:
        return Blocker(int(session), is_hidden=True)
    user, command, seconds, statement = rows[0]
    return Blocker(int(session), "", user or "", str(command).lower(), "", statement or "", seconds)


def mysql_wait(ask: Ask, session: int) -> Wait | None:
    """What the session of this number waits for in MySQL or MariaDB, None when it waits for no lock."""
    rows = _first_answer(ask, [one.format(session=session) for one in _ROW_BLOCKERS])
    if rows:
        return Wait("rows of a table", tuple(mysql_session(ask, number) for (number,) in rows))
    state = ask(f"SELECT state FROM information_schema.processlist WHERE id = {session}")
    if not state or "lock" not in str(state[0][0]).lower():
        return None
    rows = _first_answer(ask, [_METADATA_BLOCKERS.format(session=session)])
    if rows:
        return Wait("the table", tuple(mysql_session(ask, number) for (number,) in rows))
    remark = "the server does not tell by whom (it does with performance_schema=ON)"
    others = _first_answer(ask, [_OPEN_TRANSACTIONS.format(session=session)])
    if others:
        seen = "; ".join(told(mysql_session(ask, number)) for (number,) in others[:SHOWN])
        remark += f"; transactions are open in {seen}"
    return Wait("the table", (), remark)


def _first_answer(ask: Ask, statements: list[str]) -> list[Any]:
    """The rows of the first that has any; releases have different views, and a user may not see all."""
    for statement in statements:
        try:
            rows = ask(statement)
        except Exception:  # noqa: BLE001 - of each driver another, and the next statement may do
            continue
        if rows:
            return rows
    return []


def wanted(mode: str, locktype: str, relation: str | None) -> str:
    """What is waited for, in words."""
    if locktype == "relation":
        return f"{mode} on {relation}"
    return f"a row of {relation}" if locktype == "tuple" else _OBJECTS.get(locktype, f"a lock ({locktype})")


def postgres_blocker(row: Any) -> Blocker:
    """A session from its process id, ``SESSION_COLUMNS`` and the modes of its locks."""
    pid, application, user, state, kind, statement, in_state, in_transaction, waits, holds = row
    return Blocker(
        int(pid),
        application or "",
        user or "",
        state or "",
        "" if kind in (None, "client backend") else kind,
        "" if statement in (None, _HIDDEN) else statement,
        in_state,
        in_transaction,
        bool(waits),
        holds or "",
        statement == _HIDDEN,
    )


def first_words(statement: str) -> str:
    """Of another session's statement, without comments, values and whatever looks like credentials.

    Of a query, whose columns may be values, the first table.
    """
    bare = _COMMENT.sub(" ", statement).strip()
    reads = _READS.match(bare)
    if reads and not _NUMBER.search(reads[0]):
        return mask(f"SELECT … FROM {reads[1]}")
    return mask(beginning(bare or "?"))


def told(blocker: Blocker, own: frozenset[int] = frozenset()) -> str:
    """One blocker in words; ``own``: the server processes of this run's own sessions."""
    if blocker.pid == 0:
        return "a prepared transaction (see pg_prepared_xacts; COMMIT PREPARED or ROLLBACK PREPARED ends it)"
    who = [
        f"application {blocker.application}" if blocker.application else "",
        f"user {blocker.user}" if blocker.user else "",
        blocker.kind,
    ]
    named = ", ".join(part for part in who if part)
    session = f"session {blocker.pid}" + (f" ({named})" if named else "")
    if blocker.pid in own:
        session = f"this run's own {session}, which the revision or env.py holds open"
    return f"{session}: {', '.join(_doings(blocker))}" if _doings(blocker) else session


def _doings(blocker: Blocker) -> list[str]:
    """What it is at, part by part."""
    parts = []
    if blocker.is_hidden:
        parts.append(
            "state and statement are hidden from this user (GRANT pg_monitor, in MySQL PROCESS, shows them)"
        )
    if blocker.state:
        parts.append(blocker.state + _since(" for", blocker.state_seconds))
    if blocker.transaction_seconds is not None:
        parts.append("in a transaction" + _since(" open for", blocker.transaction_seconds))
    if blocker.waits_itself:
        parts.append("waits for a lock itself")
    if blocker.holds:
        parts.append(f"holds {blocker.holds}")
    if blocker.statement:
        tense = "statement" if blocker.state == "active" else "last statement"
        parts.append(f"{tense} {first_words(blocker.statement)}")
    return parts


def _since(words: str, seconds: int | None) -> str:
    return "" if seconds is None else f"{words} {max(int(seconds), 0)} s"


def sentence(wait: Wait, own: frozenset[int] = frozenset()) -> str:
    """``waits for …, blocked by …``, without subject and full stop."""
    shown = [told(one, own) for one in wait.blockers[:SHOWN]]
    more = len(wait.blockers) - len(shown)
    by = "; ".join(shown) + (f"; and {more} more" if more > 0 else "")
    return f"{wait.wanted}, " + (
        f"blocked by {by}" if by else wait.remark or "the server does not tell by whom"
    )
