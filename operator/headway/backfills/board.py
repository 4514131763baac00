"""Which lanes there are, what their checkpoints say, and which of them somebody works on; for any thread."""

import threading
from collections.abc import Callable, Mapping

from headway.backfills.lanes import is_open
from headway.backfills.state import State

WAIT_SECONDS = 0.2


class Board:
    """The lanes of one backfill; the first one, number 0, is the first worker's."""

    def __init__(self, others: Mapping[int, State]) -> None:
        """``others``: the states of all lanes but the first."""
        self._states = dict(others)
        self._taken = {0}
        self._reserved: set[int] = set()
        self._undivided: set[int] = set()
        self._idle = 0
        self._is_recalled = False
        self._changed = threading.Condition()

    @property
    def others(self) -> "tuple[State, ...]":
        """Of all lanes but the first, as they were committed last."""
        with self._changed:
            return tuple(state for lane, state in self._states.items() if lane)

    @property
    def at_work(self) -> int:
        """How many work at present."""
        with self._changed:
            return max(1, len(self._taken))

    @property
    def is_recalled(self) -> bool:
        """Nobody is to work on a lane now."""
        return self._is_recalled

    @property
    def is_busy(self) -> bool:
        """Somebody works on another lane than the first."""
        with self._changed:
            return bool(self._taken - {0})

    def state(self, lane: int) -> State:
        """As it was committed last."""
        with self._changed:
            return self._states[lane]

    def keep(self, lane: int, state: State) -> None:
        """A batch of it was committed."""
        with self._changed:
            self._states[lane] = state

    def spare(self) -> "int | None":
        """Take a lane that has something left and that nobody works on."""
        with self._changed:
            lane = self._free()
            if lane is not None:
                self._taken.add(lane)
            return lane

    def next(self, leaves: Callable[[], bool]) -> "int | None":
        """The same, and wait until there is one; None: whoever asks is to leave."""
        while not leaves():
            lane = self.spare()
            if lane is not None:
                return lane
            self.wait()
        return None

    def wait(self) -> None:
        """A moment, for a lane to be left or divided."""
        with self._changed:
            self._idle += 1
            self._changed.wait(WAIT_SECONDS)
            self._idle -= 1

    def leave(self, lane: int) -> None:
        """Nobody works on it any more; what is left of it waits."""
        with self._changed:
            self._taken.discard(lane)
            self._changed.notify_all()

    def wake(self) -> None:
        """Let those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def is_to_be_divided(self, lane: int) -> bool:
        """Somebody has nothing to do, and of all shares this one has the most left."""
        with self._changed:
            if not self._idle or self._free() is not None or lane in self._undivided or self._is_recalled:
                return False
            return self._left(lane) >= max(self._left(one) for one in self._taken - self._undivided)

    def cannot_be_divided(self, lane: int) -> None:
        """It is not asked again."""
        with self._changed:
            self._undivided.add(lane)

    def reserve(self) -> "tuple[int, State]":
        """The number of a lane that has nothing left of its share, and its state."""
        with self._changed:
            busy = {lane for lane, state in self._states.items() if is_open(state)}
            used = busy | self._taken | self._reserved | {0}
            number = next(one for one in range(1, len(used) + 1) if one not in used)
            self._reserved.add(number)
            return number, self._states.get(number, State())

    def unreserve(self, number: int) -> None:
        """Nothing came of it."""
        with self._changed:
            self._reserved.discard(number)

    def divided(self, lane: int, kept: State, number: int, given: State) -> None:
        """It was committed that a lane has a half of another's share."""
        with self._changed:
            self._states[lane], self._states[number] = kept, given
            self._reserved.discard(number)
            self._undivided.discard(number)
            self._changed.notify_all()

    def recall(self) -> None:
        """Everybody leaves after the batch that goes on, until :meth:`renew`."""
        with self._changed:
            self._is_recalled = True
            self._changed.notify_all()

    def renew(self, others: Mapping[int, State]) -> None:
        """There are these lanes now beside the first; a number that was reserved is known to be free, or open."""
        with self._changed:
            self._states = dict(others)
            self._reserved.clear()
            self._undivided.clear()
            self._is_recalled = False
            self._changed.notify_all()

    def first_works(self, does: bool) -> None:
        """The first worker has, or has no more, something to do in its own lane."""
        with self._changed:
            (self._taken.add if does else self._taken.discard)(0)

    def _free(self) -> "int | None":
        if self._is_recalled:
            return None
        open_ones = (lane for lane, state in self._states.items() if lane and is_open(state))
        return next((lane for lane in open_ones if lane not in self._taken), None)

    def _left(self, lane: int) -> float:
        place = self._states[lane].place if lane in self._states else None
        return place.remaining if place else 0.0
