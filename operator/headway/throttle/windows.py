"""The hours in which a backfill may work, as the resource writes them: pure but for the database of time zones.

Rule: a window is open while the clock on the wall of its time zone shows a time in it. So on the two odd days of a
year an hour that the clock leaves out is never open, and one that it shows twice is open twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""In the order of :meth:`datetime.date.weekday`."""
DAY_MINUTES = 24 * 60


class WindowsUnreadable(ValueError):
    """Whether a window is open cannot be told; the text says why and what to do."""


@dataclass(frozen=True)
class Window:
    """One span of time that comes again."""

    days: frozenset[str]
    """On which it starts."""
    start: int
    """In minutes since midnight; ``end`` too, up to 24:00. An end before the start is on the next day."""
    end: int
    zone_name: str
    zone: tzinfo

    def is_open(self, now: datetime) -> bool:
        """At an aware moment."""
        here = now.astimezone(self.zone)
        minute, yesterday = here.hour * 60 + here.minute, here.date() - timedelta(days=1)
        if self.start < self.end:
            return self._starts_on(here.date()) and self.start <= minute < self.end
        since_today = self._starts_on(here.date()) and minute >= self.start
        return since_today or (self._starts_on(yesterday) and minute < self.end)

    def next_start(self, now: datetime) -> datetime:
        """The first moment after ``now`` at which it starts, in its own time zone."""
        today = now.astimezone(self.zone).date()
        starts = (self._start_on(today + timedelta(days=ahead)) for ahead in range(-1, 9))
        return next(one for one in starts if self._starts_on(one.date()) and one > now)

    def _starts_on(self, day: date) -> bool:
        return DAYS[day.weekday()] in self.days

    def _start_on(self, day: date) -> datetime:
        return datetime.combine(day, time(self.start // 60, self.start % 60), self.zone)


def parse(windows: Sequence[Mapping[str, object]]) -> tuple[Window, ...]:
    """Of ``days``, ``from``, ``to`` and ``timeZone``; raises :class:`WindowsUnreadable`."""
    return tuple(_window(one) for one in windows)


def closed(windows: Sequence[Window], now: datetime) -> str:
    """Why it may not work at an aware moment, as a short sentence; empty while it may. None at all: always open."""
    if not windows or any(one.is_open(now) for one in windows):
        return ""
    first = min(windows, key=lambda one: one.next_start(now))
    return f"outside its windows until {first.next_start(now):%A %H:%M} {first.zone_name}"


def _window(window: Mapping[str, object]) -> Window:
    days = window.get("days") or DAYS
    if not isinstance(days, (list, tuple)) or not set(days) <= set(DAYS):
        raise WindowsUnreadable(f"days is {days!r}: write a list of days such as Monday")
    zone_name = str(window.get("timeZone") or "UTC")
    start, end = _minutes(window, "from"), _minutes(window, "to")
    if start in (end, DAY_MINUTES):
        raise WindowsUnreadable("a window is empty: correct from or to")
    return Window(frozenset(days), start, end, zone_name, _zone(zone_name))


def _minutes(window: Mapping[str, object], name: str) -> int:
    text = str(window.get(name))
    hours, _, minutes = text.partition(":")
    if len(text) == 5 and hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60:
        found = int(hours) * 60 + int(minutes)
        if found <= DAY_MINUTES:
            return found
    raise WindowsUnreadable(f'{name} is {text}: write HH:MM in quotes, such as "22:00"')


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # A folder's name such as America raises IsADirectoryError.
        raise WindowsUnreadable(
            f"the time zone {name} is not known in this image: "
            "correct timeZone, or install the Python package tzdata in the image, or write the window in UTC"
        ) from None
