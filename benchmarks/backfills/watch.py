"""Looks at the server from beside while a way works: how many rows are done when, and whom it keeps waiting.

Rows are the server's own count of updates, which a session hands in when its transactions end, at most once a second.
Waits are read from pg_blocking_pids and pg_locks.waitstart for sessions of the foreground.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field

import psycopg
from backfills.tables import TABLE

from support.postgres import Database

LOOK_SECONDS = 0.02
FEWEST_COUNTS = 10
"""Fewer are too few to see a tenth of the rows go by."""
LOOK = f"""
    SELECT (SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = '{TABLE}'),
           EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                   AND application_name <> 'foreground' AND query ~ '{TABLE}'),
           (SELECT max(extract(epoch FROM clock_timestamp() - locks.waitstart)) * 1000
            FROM pg_stat_activity AS waiting JOIN pg_locks AS locks ON locks.pid = waiting.pid AND NOT locks.granted
            WHERE waiting.application_name = 'foreground' AND waiting.wait_event_type = 'Lock'
            AND EXISTS (SELECT FROM unnest(pg_blocking_pids(waiting.pid)) AS blocking(pid)
                        JOIN pg_stat_activity AS other USING (pid) WHERE other.application_name <> 'foreground'))
"""


@dataclass
class Watch:
    """A thread that looks until it is told to stop."""

    database: Database
    begun: float | None = None
    """When a session of somebody else's first named the table."""
    rows: list[tuple[float, int]] = field(default_factory=list)
    """Moments at which the number of updated rows grew, and the number."""
    blocked_ms: float = 0.0
    """The longest that a statement of the foreground was seen waiting for the way."""
    looks: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _error: Exception | None = None

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join()
        if self._error:
            raise self._error

    def _look_on(self) -> None:
        try:
            with psycopg.connect(
                self.database.address, autocommit=True, application_name="watch"
            ) as connection:
                while not self._over.wait(LOOK_SECONDS):
                    self._look(connection)
        except psycopg.Error as error:
            self._error = error

    def _look(self, connection: psycopg.Connection) -> None:
        found = connection.execute(LOOK.encode()).fetchone()
        assert found is not None
        rows, is_at_work, blocked = found
        now = time.monotonic()
        self.looks += 1
        if is_at_work and self.begun is None:
            self.begun = now
        if self.begun and (not self.rows or rows > self.rows[-1][1]):
            self.rows.append((now, rows))
        self.blocked_ms = max(self.blocked_ms, float(blocked or 0))

    def deciles(self, total: int) -> tuple[float, float] | None:
        """Rows per second in the first and the last tenth; None when the whole was too short to say.

        From the first count that was seen to the last one before the end: what a way does before and after the rows
        (looking at the catalog, statistics) is in its rows per second, and not here.
        """
        known = [(when, rows) for when, rows in self.rows if 0 < rows < total]
        if len(known) < FEWEST_COUNTS:
            return None
        tenth = total / 10
        (begin, first), (end, last) = known[0], known[-1]
        return tenth / (_moment(known, first + tenth) - begin), tenth / (end - _moment(known, last - tenth))


def _moment(known: list[tuple[float, int]], rows: float) -> float:
    for (earlier, fewer), (later, more) in itertools.pairwise(known):
        if fewer <= rows <= more:
            return earlier + (later - earlier) * (rows - fewer) / max(1, more - fewer)
    return known[-1][0]
