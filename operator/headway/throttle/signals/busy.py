"""How many other sessions work at the same time: a server that is busier than it is used to is left alone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from statistics import median
from time import monotonic

from headway.throttle.level import Level, count, measured
from headway.throttle.limits import Limits
from headway.throttle.signals.signal import Ask, Signal, Unreadable

NAME = "active sessions"
LEARNING_SECONDS = 30.0
"""At the beginning, in which is learnt what the server is used to."""
TIMES_USUAL = 2.0
_POSTGRES = """
SELECT a.pid, a.state FROM pg_stat_activity a
WHERE (a.state = 'active' OR NOT pg_has_role('pg_read_all_stats', 'USAGE'))
AND coalesce(a.backend_type, 'client backend') = 'client backend' AND a.pid <> pg_backend_pid()
"""
_MYSQL = "SHOW GLOBAL STATUS LIKE 'Threads_running'"


@dataclass(frozen=True)
class Busy:
    """Other sessions that run a statement, now and as usual."""

    active: int
    usual: float


@dataclass
class Counting:
    """Counts, and learns in its first half minute what is usual."""

    ours: Callable[[], Collection[int]]
    clock: Callable[[], float] = monotonic
    _usual: list[int] = field(default_factory=list)
    _until: float = float("inf")

    def on_postgres(self, ask: Ask) -> "Busy | Unreadable":
        """From ``pg_stat_activity``, which shows others' states to the role ``pg_monitor``."""
        rows, ours = ask(_POSTGRES), frozenset(self.ours())
        if any(state is None for _, state in rows):
            return Unreadable("this role may not see what other sessions do: GRANT pg_monitor to it")
        return self.counted(sum(pid not in ours and state == "active" for pid, state in rows))

    def on_mysql(self, ask: Ask) -> Busy:
        """``Threads_running`` without our own sessions and the one that asks; everybody may read it."""
        return self.counted(max(0, int(ask(_MYSQL)[0][1]) - 1 - len(self.ours())))

    def counted(self, active: int) -> Busy:
        """One count more."""
        now = self.clock()
        self._until = min(self._until, now + LEARNING_SECONDS)
        if now <= self._until:
            self._usual.append(active)
        return Busy(active, median(self._usual))


def _judge(busy: Busy, limits: Limits) -> Level:
    limit = max(limits.active_sessions, TIMES_USUAL * busy.usual)
    return measured(NAME, "", busy.active, "other sessions work at the same time", limit, count)


def on_postgres(ours: Callable[[], Collection[int]], clock: Callable[[], float] = monotonic) -> Signal[Busy]:
    """Of client sessions in the state ``active``, in the whole server."""
    return Signal(NAME, Counting(ours, clock).on_postgres, _judge)


def on_mysql(ours: Callable[[], Collection[int]], clock: Callable[[], float] = monotonic) -> Signal[Busy]:
    """Of MySQL's and MariaDB's ``Threads_running``."""
    return Signal(NAME, Counting(ours, clock).on_mysql, _judge)
