"""Definitions that wait for their locks only for moments, again and again, so that nobody queues up behind them.

A statement that waits for ``ACCESS EXCLUSIVE`` makes everybody who comes later wait, readers too. So each try gives
up soon (100 ms, half as long again each time, at most 2 s), and between tries the table is free.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.blockers import Wanted, blockers_of, told
from headway.facts import Noticed, tell
from headway.link import Link
from headway.sessions import OwnSession
from headway.statements import execute, sqlstate
from headway.wishes import parse

TRIED_AGAIN = frozenset({"55P03", "40P01"})
"""PostgreSQL's lock_not_available and deadlock_detected."""
TOLD_AFTER_SECONDS = 5.0
TOLD_AGAIN_SECONDS = 60.0
UNCHANGED = "Nothing was changed by this step."
NAP_SECONDS = 0.5
"""Between looks at what is wished."""


@dataclass(frozen=True)
class Patience:
    """How long each try waits, how long the pauses are, and when to give up."""

    first_ms: float = 100.0
    """``lock_timeout`` of the first try, in milliseconds."""
    growth: float = 1.5
    longest_ms: float = 2000.0
    first_pause_seconds: float = 0.05
    longest_pause_seconds: float = 60.0
    give_up_after_seconds: float = 1800.0

    def timeout_ms(self, attempt: int) -> int:
        """``lock_timeout`` of a try, counted from 0, in milliseconds."""
        return max(int(min(self.longest_ms, self.first_ms * self.growth ** min(attempt, 64))), 1)

    def pause_seconds(self, attempt: int, chance: float) -> float:
        """Full jitter: anything up to a bound that doubles with each try; ``chance`` is of 0 to 1."""
        return chance * min(self.longest_pause_seconds, self.first_pause_seconds * 2.0 ** min(attempt, 64))


SHORT = Patience()
LONG = Patience(first_ms=10_000.0, longest_ms=10_000.0, first_pause_seconds=1.0, longest_pause_seconds=1.0)
"""For locks that neither readers nor writers queue up behind (``SHARE UPDATE EXCLUSIVE``)."""


class LockUnavailable(Exception):
    """A lock could not be had in time; running the revision again goes on here. The message says what was changed."""

    sqlstate = "55P03"
    tells_blockers = True
    """For whoever would add to the message who blocked."""


@dataclass(frozen=True)
class Means:
    """Clock, sleep and chance; others in tests."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


def nothing_changed(connection: Connection) -> str:
    """What a step leaves that did not get its locks: all of it is one transaction."""
    return UNCHANGED


@dataclass
class _Tries:
    link: Link
    wanted: tuple[Wanted, ...]
    patience: Patience
    means: Means
    left: Callable[[Connection], str]
    started: float = 0.0
    seen: str = ""
    """Who blocked when somebody was last seen to."""
    told_at: float | None = field(default=None)

    def failed(self, session: OwnSession, attempt: int, error: DBAPIError) -> None:
        """Look who blocks, and wait; raises :class:`LockUnavailable` when it was the last try."""
        blockers = session.do(lambda connection: blockers_of(connection, self.wanted))
        self.seen = "; ".join(told(one) for one in blockers) or self.seen
        waited = self.means.clock() - self.started
        pause = self.patience.pause_seconds(attempt, self.means.chance())
        if waited + pause > self.patience.give_up_after_seconds:
            raise LockUnavailable(self._sentence(attempt + 1, waited, session.do(self.left))) from error
        self._tell(waited)
        rest(self.link, pause, self.means)

    def _names(self) -> str:
        return ", ".join(one.words for one in self.wanted)

    def _sentence(self, tries: int, waited: float, left: str) -> str:
        who = f"Blocked by {self.seen}." if self.seen else "Who blocked it was not seen."
        return (
            f"The lock could not be had in {waited:.0f} s and {tries} tries: {self._names()}. {who} {left} "
            "End what holds the lock, or wait for it, and run the revision again: it goes on here."
        )

    def _tell(self, waited: float) -> None:
        due = TOLD_AFTER_SECONDS if self.told_at is None else self.told_at + TOLD_AGAIN_SECONDS
        if waited >= due:
            self.told_at = waited
            by = f", blocked by {self.seen}" if self.seen else ""
            tell(self.link, Noticed(f"Waiting for {waited:.0f} s for {self._names()}{by}."))


def with_short_locks(
    session: OwnSession,
    work: Callable[[Connection], None],
    wanted: tuple[Wanted, ...],
    link: Link,
    patience: Patience = SHORT,
    means: Means = Means(),
    is_transaction: bool = True,
    left: Callable[[Connection], str] = nothing_changed,
) -> None:
    """Do ``work`` in one transaction of its own, with ``SET LOCAL lock_timeout``, until it had its locks.

    ``wanted`` only names who blocks. ``is_transaction``: False for a session that commits each statement itself; the
    time-out then stays set in it. ``left`` looks, after the last try, what the tries have left, and says it as a
    sentence. Between tries a stop that is wished ends the pass by ``link.stop``. Raises :class:`LockUnavailable`
    after ``give_up_after_seconds``, and whatever else ``work`` raises, at once.
    """
    tries = _Tries(link, wanted, patience, means, left, means.clock())
    attempt, setting = 0, "SET LOCAL" if is_transaction else "SET"
    while True:
        try:
            session.do(lambda connection: _once(connection, work, setting, patience.timeout_ms(attempt)))  # noqa: B023
        except DBAPIError as error:
            if sqlstate(error) not in TRIED_AGAIN:
                raise
            tries.failed(session, attempt, error)
            attempt += 1
        else:
            return


def _once(connection: Connection, work: Callable[[Connection], None], setting: str, timeout_ms: int) -> None:
    with connection.begin():
        execute(connection, f"{setting} lock_timeout = '{timeout_ms}ms'")
        work(connection)


def rest(link: Link, seconds: float, means: Means = Means()) -> None:
    """Sleep, and end the pass by ``link.stop`` when a stop is wished before or meanwhile."""
    end = means.clock() + seconds
    while True:
        stop_if_wished(link)
        left = end - means.clock()
        if left <= 0:
            return
        means.sleep(min(left, NAP_SECONDS))


def stop_if_wished(link: Link) -> None:
    """A safe point: ends the pass by ``link.stop`` when that is wished."""
    wishes = parse(link.wishes())
    if wishes.stop:
        link.stop(wishes.stop_reason or "A stop was wished for.")
