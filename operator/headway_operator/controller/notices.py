"""Which notices of runners are still to be posted as events: each once, and none is lost by a look that fails."""

from collections.abc import Iterable

from headway_operator.cluster.interface import Key
from headway_operator.planner.actions import TellUser


class Notices:
    """Of the resources that are at work; a restart posts them again, under the same names."""

    def __init__(self) -> None:
        self._waiting: dict[Key, dict[str, TellUser]] = {}
        self._seen: dict[Key, set[str]] = {}

    def saw(self, key: Key, told: Iterable[TellUser]) -> None:
        """These are known; those that were seen before are not news."""
        seen, waiting = self._seen.setdefault(key, set()), self._waiting.setdefault(key, {})
        for one in told:
            if one.key not in seen:
                seen.add(one.key)
                waiting[one.key] = one

    def take(self, key: Key) -> tuple[TellUser, ...]:
        """Those that nobody has posted, who now does."""
        return tuple(self._waiting.pop(key, {}).values())

    def forget(self, key: Key) -> None:
        """The resource is gone or at rest."""
        self._seen.pop(key, None)
        self._waiting.pop(key, None)
