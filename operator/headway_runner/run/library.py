"""What the operations library of the revisions finds in ``config.attributes["headway"]``: facts up, wishes down.

Rule: only plain values cross, because the library is of the version that the user's image has. What is not known
here is skipped, and nothing here ever raises into an operation but the stop that it asks for.
"""

import dataclasses
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from headway_contract.backfill import BackfillRecord, BackfillSettings
from headway_contract.codec import Undecodable, camel, decode
from headway_contract.events import (
    BackfillFinished,
    BackfillProgressed,
    BackfillStarted,
    Event,
    IndexBuilding,
    Notice,
)
from headway_contract.result import shorten
from headway_runner.processes.child import Link

ATTRIBUTE = "headway"
"""The key under which the library looks."""
TOLD_EVERY_SECONDS = 0.375
"""Below the half second in which the library itself tells, so that of its facts none is lost to a wink."""
AT_FIRST_SECONDS = 60.0
LATER_EVERY_SECONDS = 1.9
"""After the first minute of an operation: days of it must not fill a log, and nobody reads it more often."""
HELD_EVERY_SECONDS = 60.0
"""While nothing moves: people are told the minutes, and the heartbeat tells that the runner lives."""
TEXT_CHARACTERS = 400
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
Build = Callable[[str, Mapping[str, Any]], Event]


class SafeStop(BaseException):
    """Ends the pass at a safe point of an operation. Not an Exception, so that env.py's handlers let it pass."""


class LibraryLink:
    """The other end of the library's link, for one pass over one database; any thread may call its methods."""

    def __init__(
        self,
        link: Link,
        database: str,
        settings: BackfillSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._clock = clock
        self._database = database
        self._settings = settings
        self._told: dict[tuple[str, str], tuple[float, str]] = {}
        self._first: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()
        self._working: dict[str, tuple[BackfillStarted, BackfillProgressed | None]] = {}
        self.records: list[BackfillRecord] = []
        """Of the backfills that are complete."""

    @property
    def is_working(self) -> bool:
        """Whether a backfill of the library goes on."""
        return bool(self._working)

    def report(self, kind: str, facts: Mapping[str, Any]) -> None:
        """A fact of the library, by the name of its kind."""
        build = _KINDS.get(kind)
        if build is None:
            return
        try:
            event = build(self._database, {camel(name): _bounded(value) for name, value in facts.items()})
        except Undecodable:
            return
        with self._lock:
            self._remember(event)
            is_due = self._is_due(event)
        if is_due:
            self._link.emit(event)

    def wishes(self) -> Mapping[str, object]:
        """The whole of what is wished now, under the library's names; what nobody has said is not in it."""
        control = self._link.control()
        settings = control.backfill or self._settings
        wished: dict[str, object] = {
            "stop": control.stop or self._link.stop_requested,
            "stop_reason": control.reason,
            "pause": control.pause,
            "throttle": control.throttle,
            **{field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)},
        }
        return {name: value for name, value in wished.items() if value}

    def stop(self, sentence: str) -> NoReturn:
        """Raises :class:`SafeStop` with where it stopped, which is also the last progress that anybody is told."""
        self._link.emit(*(last for _, last in self._working.values() if last is not None))
        places = "; ".join(self._places())
        if sentence.rstrip(".") == self._link.control().reason.rstrip("."):
            # Whoever wishes it knows why.
            sentence = ""
        raise SafeStop(" ".join(filter(None, (places and f"It stopped in {places}.", sentence))))

    def clear(self) -> None:
        """The revision has ended, in whatever way: none of its backfills goes on."""
        self._working.clear()

    def _places(self) -> Iterator[str]:
        for started, progress in list(self._working.values()):
            where = f"the backfill of {named(started.table, started.columns)}"
            if progress is None or progress.percent is None:
                yield where
            else:
                yield f"{where} at {int(progress.percent)}%, {progress.rows_done} rows updated"

    def _remember(self, event: Event) -> None:
        if isinstance(event, BackfillStarted):
            self._working[event.operation] = event, None
        elif isinstance(event, BackfillProgressed) and event.operation in self._working:
            self._working[event.operation] = self._working[event.operation][0], event
        elif isinstance(event, BackfillFinished):
            self._working.pop(event.record.operation, None)
            self.records.append(event.record)

    def _is_due(self, event: Event) -> bool:
        """Progress now and then, and at once when it begins to hold, goes on, or waits for somebody else."""
        is_held = False
        if isinstance(event, BackfillProgressed):
            is_held = bool(event.throttled_by)
            what, state = event.operation, _hold(event) if is_held else ""
        elif isinstance(event, IndexBuilding):
            what, state = event.index, f"{event.phase}/{'waits' if event.waits_for else ''}"
        else:
            return True
        key, now = (type(event).__name__, what), self._clock()
        told_at, told = self._told.get(key, (float("-inf"), ""))
        is_young = now - self._first.setdefault(key, now) <= AT_FIRST_SECONDS
        pace = TOLD_EVERY_SECONDS if is_young else LATER_EVERY_SECONDS
        if state == told and now - told_at < (HELD_EVERY_SECONDS if is_held else pace):
            return False
        self._told[key] = now, state
        return True


def _hold(event: BackfillProgressed) -> str:
    """The same as long as nothing moves; a lag that grows is the same hold."""
    return f"{event.rows_done} {event.workers} {_NUMBER.sub('', event.throttled_by)}"


def named(table: str, columns: str) -> str:
    """``users.status``, or the table alone where columns are not known."""
    return f"{table}.{columns.replace(', ', ',')}" if columns else table


def _bounded(value: Any) -> Any:
    return shorten(value, TEXT_CHARACTERS) if isinstance(value, str) else value


def _of(kind: type[Any]) -> Build:
    return lambda database, facts: decode(kind, {**facts, "database": database})


def _finished(database: str, facts: Mapping[str, Any]) -> Event:
    return BackfillFinished(database, decode(BackfillRecord, facts))


_KINDS: dict[str, Build] = {
    "BackfillStarted": _of(BackfillStarted),
    "BackfillProgressed": _of(BackfillProgressed),
    "BackfillFinished": _finished,
    "IndexBuilding": _of(IndexBuilding),
    "Noticed": _of(Notice),
}
"""By the library's name of the kind."""
