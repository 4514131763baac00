"""Which migration contexts of a pass came to their end, each by its place.

Env.py may hide what one raised and go on to the next, or try the same one again: the last try of each counts.
"""

from dataclasses import replace

from headway_contract.result import Failure
from headway_runner.processes.task import NotEnded, Place
from headway_runner.project.contexts import at


class Endings:
    """Of one pass."""

    def __init__(self) -> None:
        self._ended: dict[Place, None] = {}
        self._not_ended: dict[Place, Failure | None] = {}

    def begin(self, place: Place) -> None:
        """It is about to be migrated, or looked at."""
        self._not_ended[place] = None

    def fail(self, place: Place, failure: Failure | None) -> None:
        """It raised this; None: it was asked to stop."""
        self._not_ended[place] = failure

    def end(self, place: Place) -> None:
        """It came to its end, whatever became of an earlier try."""
        self._not_ended.pop(place, None)
        self._ended[place] = None

    @property
    def ended(self) -> tuple[Place, ...]:
        """Those that came to their end."""
        return tuple(place for place in self._ended if place not in self._not_ended)

    @property
    def not_ended(self) -> tuple[NotEnded, ...]:
        """Those that began and did not."""
        return tuple(NotEnded(*one) for one in self._not_ended.items())

    @property
    def hidden(self) -> Failure | None:
        """What the first of them raised, for a pass that env.py has ended well."""
        return next((one.failure for one in self.not_ended if one.failure is not None), None)


def hidden(failure: Failure, place: str) -> Failure:
    """What one raised, as it is told when env.py hides it."""
    told = failure if not place or place in failure.message else at(place, failure)
    return replace(told, name="Swallowed")
