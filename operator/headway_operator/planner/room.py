"""How many messages ``status.hooks`` holds, and which give way when room is short. Pure.

The API server refuses a status with more than ``HELD_AT_MOST`` of them, so there are never more, whatever comes.
What must stay are open messages, a hook's wish to be left alone, and a no that a database still has to end with. Of
the rest goes first what is only shown, then consents to earlier revisions, what Throttles say, and the other
consents last: whoever forgets one asks again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from headway_operator.api.hooks import Hook, HookStatus, HookType, Result
from headway_operator.api.status import Status

HELD_AT_MOST = 128
"""As the schema of the resource has it."""
OPEN_AT_MOST = 96
"""Messages that nobody has to wait for are made only up to this many that must stay."""
ASKED_AT_MOST = 120
"""Questions are asked only up to this many: there is always room for those of one step, and to show what was lost."""
FINISHED_KEPT = 32
"""How many of those are still shown that are done and that nothing rests on."""

Entries = tuple[HookStatus, ...]

_NO = (Result.REFUSED, Result.FAILED, Result.GONE)


class _Weight(IntEnum):
    """What gives way first comes first."""

    SHOWN = 0
    EARLIER = 1
    STATE = 2
    CONSENT = 3
    FIRM = 4


@dataclass(frozen=True)
class Room:
    """What of a run's messages something still rests on; ``done``: its databases that are at their end."""

    run: str
    hooks: Mapping[str, Hook]
    done: frozenset[str]
    is_over: bool

    @classmethod
    def of(cls, status: Status, hooks: Mapping[str, Hook]) -> Self:
        """In this status, which has a run."""
        assert status.run is not None
        done = frozenset(one.name for one in status.databases if one.phase.is_final)
        is_over = bool(status.run.completion_time) or len(done) == len(status.databases) > 0
        return cls(status.run.id, hooks, done, is_over)

    def has_for(self, entries: Entries, more: int) -> bool:
        """Whether so many messages may be made that nobody has to wait for."""
        return self._held(entries, ()) + more <= OPEN_AT_MOST

    def has_for_questions(self, entries: Entries, needed: Collection[str]) -> bool:
        """Whether there is room for all that a step waits for, by their ids: what is asked and what is answered."""
        known = {entry.id for entry in entries}
        missing = sum(one not in known for one in needed)
        return self._held(entries, needed) + missing <= ASKED_AT_MOST

    def trimmed(self, entries: Entries, needed: Collection[str] = ()) -> Entries:
        """As many as the status holds; ``needed``: ids of those that a step waits for."""
        weights = self._weights(entries, needed)
        shown = [place for place, weight in enumerate(weights) if weight is _Weight.SHOWN]
        gone = set(shown[: max(len(shown) - FINISHED_KEPT, 0)])
        left = [place for place in range(len(entries)) if place not in gone]

        def giving_way(place: int) -> tuple[int, bool, int]:
            # New states are at the end: were they to push out the others, these would be new the next time.
            is_state = weights[place] is _Weight.STATE
            holds = is_state and entries[place].result.is_open
            return weights[place], holds, -place if is_state else place

        gone.update(sorted(left, key=giving_way)[: max(len(left) - HELD_AT_MOST, 0)])
        return tuple(entry for place, entry in enumerate(entries) if place not in gone)

    def _held(self, entries: Entries, needed: Collection[str]) -> int:
        return sum(weight is _Weight.FIRM for weight in self._weights(entries, needed))

    def _weights(self, entries: Entries, needed: Collection[str]) -> list[_Weight]:
        """The newest first: of a hook at a point of a database the newest consent is the one in force."""
        seen: set[tuple[str, ...]] = set()
        weights = [self._weight(entry, needed, seen) for entry in reversed(entries)]
        return weights[::-1]

    def _weight(self, entry: HookStatus, needed: Collection[str], seen: set[tuple[str, ...]]) -> _Weight:
        if entry.id and (entry.result.is_open or entry.id in needed):
            return _Weight.FIRM
        if entry.run != self.run:
            return _Weight.SHOWN
        if entry.result is Result.GONE and _is_first(seen, ("gone", entry.name)):
            return _Weight.FIRM
        if not entry.id:
            return _Weight.STATE
        is_answer = entry.type is not HookType.NOTIFY and (
            entry.result is Result.DELIVERED or entry.result in _NO
        )
        if not is_answer or self.is_over or entry.database in self.done:
            return _Weight.SHOWN
        hook = self.hooks.get(entry.name)
        if entry.result in _NO and hook is not None and hook.must_answer:
            return _Weight.FIRM
        is_newest = _is_first(seen, ("answer", entry.name, entry.point, entry.database))
        return _Weight.CONSENT if is_newest else _Weight.EARLIER


def _is_first(seen: set[tuple[str, ...]], what: tuple[str, ...]) -> bool:
    is_first = what not in seen
    seen.add(what)
    return is_first
