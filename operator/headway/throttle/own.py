"""What the driver tells the watch of its own sessions: who they are, and how long their commits took."""

from collections import deque
from collections.abc import Callable
from statistics import median
from threading import Lock
from time import monotonic

from sqlalchemy.engine import Connection

from headway.statements import rows
from headway.throttle.level import Level, measured, milliseconds
from headway.throttle.limits import Limits

REMEMBERED = 5
"""Commits; their median counts, so one that met a checkpoint holds nobody."""
FRESH_SECONDS = 1.0
"""While it holds nothing is committed and nothing new is learnt: after this time one more batch is tried."""
NAME = "commit time"
_SESSION_NUMBER = {
    "postgresql": "SELECT pg_backend_pid()",
    "mysql": "SELECT connection_id()",
    "mariadb": "SELECT connection_id()",
}


def session_number(connection: Connection) -> int:
    """The server's number of the session; 0 where sessions have none. Leaves no transaction open."""
    question = _SESSION_NUMBER.get(connection.dialect.name)
    if question is None:
        return 0
    with connection.begin():
        return int(rows(connection, question)[0][0])


class OwnWork:
    """Written by the threads that work, read by the watch; each call is whole by itself."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._commits: deque[float] = deque(maxlen=REMEMBERED)
        self._committed_at = float("-inf")
        self._changing = Lock()
        self.sessions: frozenset[int] = frozenset()
        """By :func:`session_number`."""

    def joins(self, session: int) -> None:
        """It works from now on."""
        with self._changing:
            self.sessions |= {session}

    def leaves(self, session: int) -> None:
        """It does not any more."""
        with self._changing:
            self.sessions -= {session}

    def committed(self, duration_ms: float) -> None:
        """A batch's ``COMMIT`` took so many milliseconds."""
        self._commits.append(duration_ms)
        self._committed_at = self._clock()

    def level(self, limits: Limits) -> Level:
        """How near to the limit the commits are; nothing when the last was more than a second ago."""
        commits = tuple(self._commits)
        if not commits or self._clock() - self._committed_at >= FRESH_SECONDS:
            return Level(NAME)
        return measured(NAME, "commits take", median(commits), "", limits.commit_ms, milliseconds)
