"""Before a revision: waits until the other end lets it go, when the request says that it is to be asked.

Rule: without a permission nothing is run. Revisions that share one transaction are one step, so all of them are asked
for before the first: a wait between them would keep what they have locked.
"""

import threading
import time
from collections.abc import Callable, Iterable

from headway_contract.events import Asked
from headway_contract.request import RunRequest
from headway_runner.processes.child import Link

POLL_SECONDS = 0.1


class Permissions:
    """The permissions of one pass over one database."""

    def __init__(
        self, link: Link, request: RunRequest, database: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._link = link
        self._are_needed = request.asks_before_revisions
        self._heartbeat = request.heartbeat_seconds
        self._database = database
        self._clock = clock
        self._given: set[str] = set()

    def must_ask(self, revision: str) -> bool:
        """Whether this revision would have to wait."""
        if self._are_needed and self._link.control().may_go == revision:
            self._given.add(revision)
        return self._are_needed and revision not in self._given

    def may_go(self, revision: str, title: str = "") -> bool:
        """Wait until it may; False when the run is to stop instead."""
        since = self._clock()
        told = float("-inf")
        while self.must_ask(revision):
            if self._must_stop():
                return False
            now = self._clock()
            if now - told >= self._heartbeat:
                told = now
                self._link.emit(Asked(self._database, revision, title, round(now - since, 1)))
            threading.Event().wait(POLL_SECONDS)
        return True

    def may_all_go(self, revisions: Iterable[tuple[str, str]]) -> bool:
        """The same for revisions with their titles, one after the other."""
        return all(self.may_go(revision, title) for revision, title in revisions)

    def _must_stop(self) -> bool:
        """The order may come a moment later than the value that wishes it: one look must do for both."""
        return self._link.stop_requested or self._link.control().stop
