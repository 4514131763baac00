"""Who holds a lock on PostgreSQL that another one conflicts with, as words for people.

Rule: of another session's statement only the first words are told, never a value in it.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.statements import first_words, literal, rows

SHOWN = 3
MODES = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
"""PostgreSQL's table locks from the weakest on."""
CONFLICTS: dict[str, tuple[str, ...]] = {
    "SHARE UPDATE EXCLUSIVE": MODES[3:],
    "SHARE": (*MODES[2:4], *MODES[5:]),
    "SHARE ROW EXCLUSIVE": MODES[2:],
    "ACCESS EXCLUSIVE": MODES,
}
"""What each of the modes that operations take conflicts with (PostgreSQL's manual, 13.3.1)."""
_BLOCKERS = """
SELECT * FROM (SELECT DISTINCT ON (l.pid) l.pid, a.application_name, a.backend_type, a.state, a.query,
  extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change))::int AS seconds
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.locktype = 'relation' AND l.pid IS DISTINCT FROM pg_backend_pid()
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND ({which})
ORDER BY l.pid) s ORDER BY s.seconds DESC NULLS FIRST, s.pid LIMIT {shown}
"""
_WHICH = (
    "l.mode IN ({modes}) AND (l.relation = to_regclass({table}) "
    "OR l.relation IN (SELECT relid FROM pg_partition_tree(to_regclass({table}))))"
)


@dataclass(frozen=True)
class Wanted:
    """A lock that a statement takes."""

    table: str
    """Quoted, and with its schema unless the search path finds it."""
    mode: str = "ACCESS EXCLUSIVE"
    waits_for_users: bool = False
    """The statement also waits for the end of every transaction that has any lock on the table."""

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The modes that hold it up."""
        return MODES if self.waits_for_users else CONFLICTS[self.mode]

    @property
    def words(self) -> str:
        """What is waited for."""
        users = f", with the end of all transactions that use {self.table}" if self.waits_for_users else ""
        return f"{self.mode} on {self.table}{users}"


@dataclass(frozen=True)
class Blocker:
    """A session that holds a conflicting lock; "" and None where the server does not tell this role."""

    pid: int | None
    """None: a prepared transaction, which has no session."""
    application: str = ""
    kind: str = ""
    """Of server process, "" for a client's."""
    state: str = ""
    statement: str = ""
    """The first words of what it runs or ran last."""
    seconds: int | None = None
    """Since its transaction began."""


def blockers_of(connection: Connection, wanted: tuple[Wanted, ...]) -> tuple[Blocker, ...]:
    """Who holds locks that these conflict with, the oldest first, at most ``SHOWN``.

    () also where the server does not answer.
    """
    which = " OR ".join(f"({_which(one)})" for one in wanted)
    try:
        with connection.begin():
            found = rows(connection, _BLOCKERS.format(which=which, shown=SHOWN))
    except DBAPIError:
        # Only words for people hang on it, and what waits for the lock goes on.
        return ()
    return tuple(blocker(row) for row in found)


def _which(wanted: Wanted) -> str:
    names = (literal(mode.title().replace(" ", "") + "Lock") for mode in wanted.conflicts)
    return _WHICH.format(modes=", ".join(names), table=literal(wanted.table))


def blocker(row: "tuple[Any, ...]") -> Blocker:
    """A session from pid, application, kind, state, statement and seconds, as ``pg_stat_activity`` has them."""
    pid, application, kind, state, statement, seconds = row
    return Blocker(
        None if pid is None else int(pid),
        application or "",
        "" if kind in (None, "client backend") else kind,
        state or "",
        first_words(statement) if statement and not statement.startswith("<") else "",
        None if seconds is None else max(int(seconds), 0),
    )


def told(one: Blocker) -> str:
    """One blocker in words, without a full stop."""
    if one.pid is None:
        return "a prepared transaction (pg_prepared_xacts lists them)"
    who = f"application {one.application}" if one.application else one.kind
    parts = (
        one.state,
        "" if one.seconds is None else f"its transaction open for {one.seconds} s",
        f"{'statement' if one.state == 'active' else 'last statement'} {one.statement}"
        if one.statement
        else "",
    )
    doing = ", ".join(part for part in parts if part)
    return f"session {one.pid}" + (f" ({who})" if who else "") + (f": {doing}" if doing else "")
