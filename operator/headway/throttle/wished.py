"""What is wished as levels: the pause, the windows and the Throttle hook's word, at once and without the database."""

from datetime import datetime

from headway.throttle import windows
from headway.throttle.level import Level
from headway.wishes import Wishes

NAMES = PAUSE, WINDOWS, HOOK = "pause", "windows", "throttle hook"


def pause_is_wished(wishes: Wishes, _: datetime) -> Level:
    """Somebody paused it."""
    return _level(PAUSE, wishes.pause)


def windows_are_closed(wishes: Wishes, now: datetime) -> Level:
    """It is outside of the hours in which it may work, or whether it is cannot be told."""
    try:
        return _level(WINDOWS, windows.closed(windows.parse(wishes.windows), now))
    except windows.WindowsUnreadable as error:
        return _level(WINDOWS, f"the windows cannot be read: {error}")


def hook_says_no(wishes: Wishes, _: datetime) -> Level:
    """A Throttle hook is against it."""
    return _level(HOOK, wishes.throttle)


WISHED = (pause_is_wished, windows_are_closed, hook_says_no)
"""In the order in which they are named."""


def levels(wishes: Wishes, now: datetime) -> tuple[Level, ...]:
    """At an aware moment."""
    return tuple(one(wishes, now) for one in WISHED)


def _level(name: str, sentence: str) -> Level:
    return Level(name, float(bool(sentence)), sentence, is_load=False)
