"""Sessions that wait for one of ours, at once or behind another that does: how long, and how long in all."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from time import monotonic

from headway.throttle.level import Level, milliseconds
from headway.throttle.limits import Limits
from headway.throttle.signals.signal import Ask, Signal

NAME = "blocked sessions"
_WAITING = """
SELECT w.pid, array_to_string(pg_blocking_pids(w.pid), ','),
  CAST(extract(epoch FROM clock_timestamp() - min({since})) * 1000 AS double precision)
FROM pg_locks w LEFT JOIN pg_stat_activity a ON a.pid = w.pid
WHERE NOT w.granted AND w.pid <> pg_backend_pid() GROUP BY w.pid
"""
_SINCE = "w.waitstart"
_SINCE_OLD = "coalesce(a.query_start, a.state_change)"
"""Before PostgreSQL 14: longer than the truth, and of others' sessions hidden from roles without ``pg_monitor``."""

_WAITING_MARIADB = """
SELECT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM information_schema.innodb_lock_waits w
JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id
JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id
"""
"""Needs PROCESS."""
_WAITING_MYSQL = """
SELECT r.processlist_id, b.processlist_id FROM performance_schema.data_lock_waits w
JOIN performance_schema.threads r ON r.thread_id = w.requesting_thread_id
JOIN performance_schema.threads b ON b.thread_id = w.blocking_thread_id
"""
"""Needs SELECT on performance_schema."""


@dataclass(frozen=True)
class Waiting:
    """A session that waits for a lock."""

    pid: int
    behind: frozenset[int]
    waited_ms: float


@dataclass(frozen=True)
class Blocked:
    """Those that wait because of us."""

    sessions: int = 0
    longest_ms: float = 0.0


@dataclass
class Blocking:
    """Reads who waits, and keeps the sum over all that were seen waiting."""

    ours: Callable[[], Collection[int]]
    clock: Callable[[], float] = monotonic
    total_ms: float = 0.0
    _seen: dict[int, float] = field(default_factory=dict)
    _since: dict[int, float] = field(default_factory=dict)
    """When each was first seen to wait, where the server does not tell it to the millisecond."""

    def read(self, ask: Ask) -> Blocked:
        """One look; ``pg_locks`` and ``pg_blocking_pids`` need no permission."""
        since = _SINCE if _knows_the_start(ask) else _SINCE_OLD
        rows = ask(_WAITING.format(since=since))
        return self.look([Waiting(pid, _pids(behind), float(waited or 0.0)) for pid, behind, waited in rows])

    def read_mysql(self, ask: Ask) -> Blocked:
        """The same on MySQL and MariaDB: who waits is told, since when only in whole seconds, so our looks count."""
        is_mariadb = "MariaDB" in str(ask("SELECT version()")[0][0])
        behind: dict[int, set[int]] = {}
        for waiting, blocking in ask(_WAITING_MARIADB if is_mariadb else _WAITING_MYSQL):
            behind.setdefault(int(waiting), set()).add(int(blocking))
        now = self.clock()
        self._since = {pid: self._since.get(pid, now) for pid in behind}
        return self.look(
            [
                Waiting(pid, frozenset(those), (now - self._since[pid]) * 1000.0)
                for pid, those in behind.items()
            ]
        )

    def look(self, waiting: Collection[Waiting]) -> Blocked:
        """Count it in: a wait that goes on adds what it has grown by."""
        ours = because_of(self.ours(), waiting)
        self.total_ms += sum(grown(self._seen, ours).values())
        self._seen = {one.pid: one.waited_ms for one in ours}
        return Blocked(len(ours), max((one.waited_ms for one in ours), default=0.0))

    def signal(self) -> Signal[Blocked]:
        """As one of the signals."""
        return Signal(NAME, self.read, _judge)

    def signal_mysql(self) -> Signal[Blocked]:
        """The same for MySQL and MariaDB."""
        return Signal(NAME, self.read_mysql, _judge)


def because_of(ours: Collection[int], waiting: Collection[Waiting]) -> tuple[Waiting, ...]:
    """Who waits for one of ours, or for somebody who does; our own sessions are not counted."""
    reached = set(ours)
    rest = [one for one in waiting if one.pid not in reached]
    found: list[Waiting] = []
    while more := [one for one in rest if one.behind & reached]:
        found += more
        reached |= {one.pid for one in more}
        rest = [one for one in rest if one.pid not in reached]
    return tuple(found)


def grown(before: Mapping[int, float], now: Collection[Waiting]) -> dict[int, float]:
    """By how many milliseconds each wait has grown; one that is shorter than before is another one."""
    growth = {}
    for one in now:
        seen = before.get(one.pid, 0.0)
        growth[one.pid] = one.waited_ms - seen if one.waited_ms >= seen else one.waited_ms
    return growth


def _judge(blocked: Blocked, limits: Limits) -> Level:
    # At most 1: a long wait is no reason to work less than half as much afterwards.
    utilization = min(1.0, blocked.longest_ms / limits.blocked_ms)
    who = "a session waits" if blocked.sessions == 1 else f"{blocked.sessions} sessions wait"
    waited = f"{milliseconds(blocked.longest_ms)} for the backfill"
    return Level(NAME, utilization, f"{who} {waited} (limit {milliseconds(limits.blocked_ms)})")


def _knows_the_start(ask: Ask) -> bool:
    return int(ask("SELECT CAST(current_setting('server_version_num') AS int)")[0][0]) >= 140000


def _pids(text: "str | None") -> frozenset[int]:
    return frozenset(int(pid) for pid in (text or "").split(",") if pid)
