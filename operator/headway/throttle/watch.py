"""The watch beside a backfill: a side session in its own thread reads all signals; a verdict is given at once.

Rule: a batch never waits for a look. The thread leaves what it read, and whoever asks judges that with what is wished
now. Nothing is raised into the work: a database that cannot be looked at is part of the verdict.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from time import monotonic, time

from sqlalchemy.engine import Engine

from headway.sessions import OwnSession
from headway.statements import quoted
from headway.throttle import own as own_work
from headway.throttle import wished
from headway.throttle.level import Level, still_holding
from headway.throttle.limits import Limits
from headway.throttle.look import STATEMENT_MS, look, said
from headway.throttle.own import OwnWork
from headway.throttle.seen import Seen, level_of, worth_telling
from headway.throttle.signals.blocked import Blocking
from headway.throttle.signals.chosen import WITH_SIDE_SESSION, Signals, names_of, signals_of
from headway.throttle.signals.query import Query, query_signal
from headway.throttle.signals.signal import Unreadable
from headway.throttle.verdict import Throttle, Verdict
from headway.wishes import Wishes

LOOK_SECONDS = 0.25
"""From the beginning of a look to that of the next. A breach is seen by the end of the next look, and the batch that
runs by then is the last: with the longest batches, those of pace Fast, all that takes less than a second.
"""
FIRST_LOOK_SECONDS = 3.0
"""How long the beginning of a backfill waits for it."""
SHORTEST_PAUSE_SECONDS = 0.05
RECONNECT_SECONDS = 2.0
NAMES_TAKEN = (*wished.NAMES, own_work.NAME)


def watch(
    engine: Engine,
    table: str,
    wishes: Callable[[], Wishes],
    own: OwnWork,
    *,
    notice: Callable[[str], None],
    schema: "str | None" = None,
    queries: Sequence[Query] = (),
    search_path: str = "",
    limits: "Limits | None" = None,
    clock: Callable[[], float] = monotonic,
    wall: Callable[[], float] = time,
) -> Throttle:
    """Begin to watch the database of ``engine`` while ``table`` is worked on; close it in every case.

    ``wishes`` is asked in any thread; ``own`` is what the driver tells of its sessions; ``search_path`` is what the
    queries are asked with on PostgreSQL, as the setting has it; ``notice`` gets what a person should know, once each.
    Takes no locks on tables. Raises ValueError for queries that cannot be asked.
    """
    dialect, blocking = engine.dialect.name, Blocking(lambda: own.sessions, clock)
    relation = quoted(engine.dialect, schema, table)
    check(queries, dialect)
    signals = signals_of(dialect, relation, blocking, own, clock) + tuple(map(query_signal, queries))
    found = Watch(
        engine, signals, blocking, own, wishes, search_path, limits or Limits(), notice, clock, wall
    )
    if signals:
        found.begin()
    return found


def check(queries: Sequence[Query], dialect: str) -> None:
    """Raises ValueError for queries that cannot be asked, or that have the name of another signal."""
    names = [*(query.name for query in queries), *names_of(dialect), *NAMES_TAKEN]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"there is more than one signal with the name {twice[0]!r}: give the query another name"
        )
    if queries and dialect not in WITH_SIDE_SESSION:
        raise ValueError(
            f"the query {queries[0].name!r} cannot be asked while a backfill works: "
            f"with {dialect} there is no session beside it; leave the query out"
        )


class Watch:
    """A throttle whose readings come from a thread of its own."""

    def __init__(
        self,
        engine: Engine,
        signals: Signals,
        blocking: Blocking,
        own: OwnWork,
        wishes: Callable[[], Wishes],
        search_path: str,
        limits: Limits,
        notice: Callable[[str], None],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._engine, self._signals, self._blocking, self._own = engine, signals, blocking, own
        self._wishes, self._search_path, self._limits, self._notice = wishes, search_path, limits, notice
        self._clock, self._wall = clock, wall
        # Each value is replaced whole, so the threads need no lock for it.
        self._seen = {signal.name: Seen() for signal in signals}
        self._held: frozenset[str] = frozenset()
        self._told: set[str] = set()
        self._judging = threading.Lock()
        self._looked, self._stopping = threading.Event(), threading.Event()
        self._session: OwnSession | None = None
        self._thread = threading.Thread(target=self._run, name="headway-throttle", daemon=True)

    def begin(self) -> None:
        """Start the thread and wait a little for its first look."""
        self._thread.start()
        self._looked.wait(FIRST_LOOK_SECONDS)

    def verdict(self) -> Verdict:
        """Of what was read last and what is wished now; at once, from any thread."""
        with self._judging:
            levels = self._levels()
            holding = still_holding(levels, self._held)
            self._held = frozenset(level.signal for level in holding)
        return Verdict(
            hold="; ".join(level.sentence for level in holding),
            utilization=max((level.utilization for level in levels if level.is_load), default=0.0),
            blocked_ms=self._blocking.total_ms,
        )

    def close(self) -> None:
        """End the thread and its session; one that the network keeps waiting ends with the process."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STATEMENT_MS / 1000 + 1)

    def _levels(self) -> tuple[Level, ...]:
        try:
            wishes = self._wishes()
        except Exception as error:  # noqa: BLE001 - the other end's own code; not knowing what is wished holds
            return (Level("wishes", 1.0, f"what is wished cannot be read: {said(error)}", is_load=False),)
        now, limits = self._clock(), self._limits.wished(wishes)
        moment = datetime.fromtimestamp(self._wall(), timezone.utc)
        seen = self._seen
        found = tuple(level_of(one, seen[one.name], now, wishes, limits) for one in self._signals)
        return (*wished.levels(wishes, moment), *found, self._own.level(limits))

    def look(self) -> float:
        """Read everything once and tell what is worth it; the seconds until the next look.

        At least as many as this one took: slow queries never take more than half of the time.
        """
        begun = self._clock()
        period = self._look()
        self._tell()
        taken = self._clock() - begun
        return max(SHORTEST_PAUSE_SECONDS, taken, period - taken)

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = self.look()
            self._looked.set()
            self._stopping.wait(pause)
        self._leave()

    def _look(self) -> float:
        """Read everything once; the seconds from its beginning until that of the next."""
        try:
            self._session = self._session or OwnSession(self._engine)
            self._session.do(lambda session: look(session, self._signals, self._search_path, self._keep))
        except Exception as error:  # noqa: BLE001 - whatever a driver, or the user's way to connect, raises
            self._leave()
            trouble = Unreadable(f"there is no session beside the backfill ({said(error)})")
            for signal in self._signals:
                self._keep(signal.name, trouble)
            return RECONNECT_SECONDS
        return LOOK_SECONDS

    def _keep(self, name: str, outcome: object) -> None:
        self._seen[name] = self._seen[name].after(outcome, self._clock())

    def _tell(self) -> None:
        try:
            wishes = self._wishes()
        except Exception:  # noqa: BLE001 - the verdict asks again, and says it
            return
        for signal in self._signals:
            sentence = worth_telling(signal, self._seen[signal.name], self._clock(), wishes)
            if sentence and signal.name not in self._told:
                self._told.add(signal.name)
                self._notice(sentence)

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(Exception):
                session.close()
