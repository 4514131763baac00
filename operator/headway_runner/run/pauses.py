"""Between two revisions: holds the run while a pause is wished, and says so.

Rule: what holds keeps no row, table or snapshot: where env.py keeps a transaction open around its revisions, the run
goes on, because a pause must never be what others wait for.
"""

import threading
from collections.abc import Callable

from headway_contract.events import Held, Notice
from headway_runner.processes.child import Link

POLL_SECONDS = 0.1
CANNOT_HOLD = (
    "It is paused, but env.py keeps a transaction open around its revisions, and a pause would keep all that they "
    "have locked. It goes on."
)


class Pauses:
    """The pauses of one pass."""

    def __init__(self, link: Link, database: str) -> None:
        self._link = link
        self._database = database
        self._has_told = False

    @property
    def is_wished(self) -> bool:
        """Whether to hold now."""
        return bool(self._link.control().pause)

    def may_go_on(self, revision: str, let_go: Callable[[], bool]) -> bool:
        """Wait while this revision is held; False when the run is to stop instead.

        ``let_go`` ends what is open and may be ended; it says False where a transaction stays open.
        """
        if self._must_stop() or not self.is_wished:
            return not self._must_stop()
        if not let_go():
            if not self._has_told:
                self._link.emit(Notice(self._database, CANNOT_HOLD, warning=True))
            self._has_told = True
            return True
        self._hold(revision)
        return not self._must_stop()

    def _hold(self, revision: str) -> None:
        told = ""
        while self.is_wished and not self._must_stop():
            control = self._link.control()
            if control.pause != told:
                told = control.pause
                self._link.emit(Held(self._database, told, control.sequence, revision))
            threading.Event().wait(POLL_SECONDS)
        self._link.emit(Held(self._database, "", self._link.control().sequence, revision))

    def _must_stop(self) -> bool:
        """The order may come a moment later than the value that wishes it: one look must do for both."""
        return self._link.stop_requested or self._link.control().stop
