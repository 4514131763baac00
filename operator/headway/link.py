"""What an operation tells while it works, and what is wished of it: by way of the Alembic config's ``attributes``.

Whoever drives Alembic may put a :class:`Link` under ``config.attributes["headway"]``. Without one, facts go to the
log and nobody wishes anything. Only plain values cross it and unknown names are skipped on both sides, so the
library that the revisions import and whoever drives them may be of different versions.
"""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import NoReturn, Protocol, cast

from alembic.runtime.migration import MigrationContext

from headway.interrupts import Interrupted
from headway.lines import LINES

ATTRIBUTE = "headway"
"""The key in ``alembic.config.Config.attributes``."""
Plain = str | int | float | bool | None
log = logging.getLogger("alembic.headway")
"""Below Alembic's own, so that whatever shows or hides Alembic's lines does the same with these: the ``alembic.ini``
of its templates shows them. Of a logger beside it that shows only warnings, and none once ``fileConfig`` has met it.
"""
TOLD_EVERY_SECONDS = 5.0
"""Between lines of the log about an operation that gets on."""
TOLD_AGAIN_SECONDS = 60.0
"""The same while its percentage stays the same: hours of it must not fill a log."""


class Link(Protocol):
    """The other end; its methods may be called from any thread, except :meth:`stop`."""

    def report(self, kind: str, facts: Mapping[str, Plain]) -> None:
        """A fact of :mod:`headway.facts`, by the name of its kind; never raises."""

    def wishes(self) -> Mapping[str, object]:
        """The whole of what is wished now, as :mod:`headway.wishes` reads it; cheap enough for every batch."""

    def stop(self, sentence: str) -> NoReturn:
        """End the pass here, at a safe point, by raising what the driver of Alembic knows; main thread only."""


class NoLink:
    """Plain ``alembic upgrade``: facts go to the logger ``alembic.headway``, and what is wished is Ctrl-C."""

    is_interrupted = False
    """Ctrl-C was pressed while an operation works."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._holds = False
        self._told_at = clock()
        self._place: tuple[object, ...] = (None, None)
        self._percent = -1
        self._done = ""

    def report(self, kind: str, facts: Mapping[str, Plain]) -> None:
        """One line of the log; what a person should know as a warning, and how far it is now and then."""
        if "message" in facts:
            log.warning("%s", facts["message"])
        if kind == "BackfillProgressed":
            self._done = f"in the backfill of {facts['table']}, {facts['rows_done']} rows of which are done"
            self._tell_hold(facts)
        if kind in LINES and self._is_due(facts):
            log.info("%s", LINES[kind](facts))

    def _tell_hold(self, facts: Mapping[str, Plain]) -> None:
        held = facts["throttled_by"]
        if bool(held) != self._holds:
            self._holds, self._told_at = bool(held), self._clock()
            log.warning("The backfill of %s %s.", facts["table"], f"holds: {held}" if held else "goes on")

    def _is_due(self, facts: Mapping[str, Plain]) -> bool:
        """Beginning, end, another phase and another whom it waits for at once, a percentage now and then."""
        now, percent = self._clock(), int(cast(float, facts.get("percent", -1)))
        place = (facts.get("phase"), facts.get("waits_for"))
        every = TOLD_AGAIN_SECONDS if percent == self._percent else TOLD_EVERY_SECONDS
        if "percent" in facts and place == self._place and now - self._told_at < every:
            return False
        self._told_at, self._place, self._percent = now, place, percent
        return True

    def wishes(self) -> Mapping[str, object]:
        """A stop, from Ctrl-C on."""
        return {"stop": True} if self.is_interrupted else {}

    def stop(self, sentence: str) -> NoReturn:
        """Raises :class:`headway.interrupts.Interrupted`, which ends the program."""
        where = self._done or "between two steps of an operation"
        sys.stderr.write(
            f"headway: stopped by Ctrl-C {where}; what was done until then is committed.\n"
            "headway: run the same command again, it goes on there.\n"
        )
        raise Interrupted


def link_of(context: MigrationContext) -> Link:
    """The link of the run that this context belongs to."""
    config = context.config
    found = None if config is None else config.attributes.get(ATTRIBUTE)
    return NoLink() if found is None else cast(Link, found)
