"""How often progress is written: what only people watch is not worth more than a few writes in a second.

A change is advisory when a decision would be the same without it. It waits for its turn and is never dropped: what
is written then is the newest.
"""

from dataclasses import replace

from headway_operator.api.status import DatabasePhase, Status
from headway_operator.cluster.interface import Key

SECONDS_PER_RESOURCE = 2.0
SECONDS_PER_WRITE = 0.05
"""Over all resources: 20 writes in a second."""


_FILLING = {"Backfilling": "Migrating"}
"""Whether a backfill goes on comes from the same progress."""


def is_advisory(old: Status, new: Status) -> bool:
    """Whether the two differ in nothing but progress and words."""
    return _without_progress(old) == _without_progress(new)


class Pacer:
    """Gives out turns for advisory writes. Times are seconds of a clock that only goes forward."""

    def __init__(self) -> None:
        self._last: dict[Key, float] = {}
        self._next_free = 0.0

    def wait(self, key: Key, now: float) -> float:
        """Seconds until this resource may write; 0 takes nothing yet."""
        own = self._last.get(key, float("-inf")) + SECONDS_PER_RESOURCE
        return max(own - now, self._next_free - now, 0.0)

    def wrote(self, key: Key, now: float) -> None:
        """It has written."""
        self._last[key] = now
        self._next_free = max(self._next_free, now) + SECONDS_PER_WRITE

    def noted(self, key: Key, now: float) -> None:
        """Something of it was written that no turn was needed for: progress waits its time after that, too."""
        self._last[key] = now

    def forget(self, key: Key) -> None:
        """The resource is gone or at rest."""
        self._last.pop(key, None)


def _without_progress(status: Status) -> Status:
    return replace(
        status,
        progress=None,
        phase=_FILLING.get(status.phase, status.phase),
        plan=status.plan and replace(status.plan, message=""),
        databases=tuple(
            replace(
                database,
                phase=DatabasePhase.MIGRATING if database.phase.is_working else database.phase,
                backfill=None,
                backfills=(),
                current_revision="",
                target_revision="",
                revisions_done=None,
                revisions_total=None,
                message="",
            )
            for database in status.databases
        ),
        conditions=tuple(
            replace(one, message="", reason=_FILLING.get(one.reason, one.reason))
            for one in status.conditions
            if one.type != "BackfillComplete"
        ),
    )
