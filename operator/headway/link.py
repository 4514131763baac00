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

ATTRIBUTE = "headway"
"""The key in ``alembic.config.Config.attributes``."""
Plain = str | int | float | bool | None
log = logging.getLogger("headway")
TOLD_EVERY_SECONDS = 5.0
"""Between lines of the log about the progress of a backfill."""


class Link(Protocol):
    """The other end; its methods may be called from any thread, except :meth:`stop`."""

    def report(self, kind: str, facts: Mapping[str, Plain]) -> None:
        """A fact of :mod:`headway.facts`, by the name of its kind; never raises."""

    def wishes(self) -> Mapping[str, object]:
        """The whole of what is wished now, as :mod:`headway.wishes` reads it; cheap enough for every batch."""

    def stop(self, sentence: str) -> NoReturn:
        """End the pass here, at a safe point, by raising what the driver of Alembic knows; main thread only."""


class NoLink:
    """Plain ``alembic upgrade``: facts go to the logger ``headway``, and what is wished is Ctrl-C."""

    is_interrupted = False
    """Ctrl-C was pressed while an operation works."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._holds = False
        self._told_at: float | None = None
        self._done = ""

    def report(self, kind: str, facts: Mapping[str, Plain]) -> None:
        """One line of the log; what a person should know as a warning, which Alembic's own configuration shows."""
        if "message" in facts:
            log.warning("%s", facts["message"])
        elif kind == "BackfillProgressed":
            self._progress(facts)
        else:
            log.info("%s: %s", kind, ", ".join(f"{name} {value}" for name, value in facts.items()))

    def _progress(self, facts: Mapping[str, Plain]) -> None:
        self._done = f"in the backfill of {facts['table']}, {facts['rows_done']} rows of which are done"
        held, now = facts.get("throttled_by"), self._clock()
        if bool(held) != self._holds:
            self._holds = bool(held)
            log.warning("The backfill of %s %s.", facts["table"], f"holds: {held}" if held else "goes on")
        if self._told_at is None or now - self._told_at >= TOLD_EVERY_SECONDS:
            self._told_at = now
            line = "Backfill of %s: %d %% done, %s rows updated, %.0f rows/s."
            log.info(line, facts["table"], facts["percent"], facts["rows_done"], facts["rows_per_second"])

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
