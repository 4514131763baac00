"""When a window is open: days, midnight, time zones and the two odd days of the year."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.throttle.windows import DAYS, WindowsUnreadable, closed, parse

VIENNA = {"timeZone": "Europe/Vienna"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_open(window: dict, moment: str) -> bool:
    return closed(parse([window]), at(moment)) == ""


@pytest.mark.parametrize(
    ("window", "moment", "expected"),
    [
        ({"from": "09:00", "to": "17:00"}, "2026-07-06 09:00", True),
        ({"from": "09:00", "to": "17:00"}, "2026-07-06 08:59", False),
        ({"from": "09:00", "to": "17:00"}, "2026-07-06 17:00", False),
        ({"from": "22:00", "to": "05:30"}, "2026-07-06 23:59", True),
        ({"from": "22:00", "to": "05:30"}, "2026-07-06 05:29", True),
        ({"from": "22:00", "to": "05:30"}, "2026-07-06 05:30", False),
        ({"from": "22:00", "to": "05:30"}, "2026-07-06 12:00", False),
        ({"from": "00:00", "to": "24:00"}, "2026-07-06 23:59", True),
        ({"from": "20:00", "to": "24:00"}, "2026-07-07 00:00", False),
        ({"from": "20:00", "to": "00:00"}, "2026-07-06 23:59", True),
        ({"from": "22:00", "to": "05:30", "days": ["Sunday"]}, "2026-07-06 03:00", True),
        ({"from": "22:00", "to": "05:30", "days": ["Sunday"]}, "2026-07-06 22:30", False),
        ({"from": "22:00", "to": "05:30", "days": ["Monday"]}, "2026-07-06 03:00", False),
        ({"from": "09:00", "to": "17:00", "days": ["Monday"]}, "2026-07-06 10:00", True),
        ({"from": "09:00", "to": "17:00", "days": ["Tuesday"]}, "2026-07-06 10:00", False),
        ({"from": "09:00", "to": "17:00", "days": []}, "2026-07-06 10:00", True),
        ({"from": "22:00", "to": "05:30", **VIENNA}, "2026-07-06 20:00", True),
        ({"from": "22:00", "to": "05:30", **VIENNA}, "2026-07-06 03:29", True),
        ({"from": "22:00", "to": "05:30", **VIENNA}, "2026-07-06 03:30", False),
        ({"from": "22:00", "to": "05:30", **VIENNA}, "2026-01-06 20:59", False),
        ({"from": "22:00", "to": "05:30", **VIENNA}, "2026-01-06 21:00", True),
        ({"from": "00:00", "to": "01:00", "days": ["Tuesday"], **VIENNA}, "2026-07-06 22:30", True),
    ],
)
def test_a_window_is_open_while_the_clock_of_its_zone_shows_a_time_in_it(window, moment, expected):
    assert is_open(window, moment) is expected


def test_an_hour_that_the_clock_leaves_out_is_never_open():
    window = {"from": "02:00", "to": "03:00", **VIENNA}
    night = (at("2026-03-28 23:00") + timedelta(minutes=count) for count in range(600))
    assert not any(closed(parse([window]), one) == "" for one in night)


def test_an_hour_that_the_clock_shows_twice_is_open_twice():
    window = {"from": "02:00", "to": "03:00", **VIENNA}
    night = (at("2026-10-24 22:00") + timedelta(minutes=count) for count in range(600))
    assert sum(closed(parse([window]), one) == "" for one in night) == 120


def test_no_windows_are_always_open_and_one_open_window_is_enough():
    assert closed((), at("2026-07-06 12:00")) == ""
    both = [{"from": "01:00", "to": "02:00"}, {"from": "11:00", "to": "13:00"}]
    assert closed(parse(both), at("2026-07-06 12:00")) == ""


def test_a_closed_window_says_when_the_next_one_opens():
    both = [{"from": "22:00", "to": "05:30", **VIENNA}, {"from": "23:00", "to": "24:00", "days": ["Sunday"]}]
    sentence = closed(parse(both), at("2026-07-06 12:00"))
    assert sentence == "outside its windows until Monday 22:00 Europe/Vienna"


CLOCK = st.integers(0, 24 * 60 - 1)
WINDOW = st.builds(
    lambda start, length, days, zone: {
        "from": f"{start // 60:02}:{start % 60:02}",
        "to": f"{(start + length) % 1440 // 60:02}:{(start + length) % 60:02}",
        "days": sorted(days),
        "timeZone": zone,
    },
    CLOCK,
    st.integers(1, 24 * 60 - 1),
    st.sets(st.sampled_from(DAYS)),
    st.sampled_from(["UTC", "Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
MOMENT = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda one: one.replace(tzinfo=UTC))


@given(WINDOW, MOMENT)
def test_a_closed_window_opens_within_8_days_and_not_before_it_says(window, moment):
    one = parse([window])[0]
    if one.is_open(moment):
        return
    start = one.next_start(moment)
    assert moment < start <= moment + timedelta(days=8)
    here = start.astimezone(one.zone)
    # In the hour that the clock leaves out there is no such time, and the window may be shut again after it.
    assert one.is_open(start.astimezone(UTC)) or here.astimezone(UTC).astimezone(one.zone) != start


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"from": "9:00", "to": "17:00"}, "from is 9:00"),
        ({"from": "09:00"}, "to is None"),
        ({"from": "09:00", "to": "24:01"}, "to is 24:01"),
        ({"from": "24:00", "to": "05:00"}, "empty"),
        ({"from": "09:00", "to": "09:00"}, "empty"),
        ({"from": "09:60", "to": "17:00"}, "from is 09:60"),
        ({"from": "09:00", "to": "17:00", "days": ["Mon"]}, "days is"),
        ({"from": "09:00", "to": "17:00", "days": "Monday"}, "days is"),
        ({"from": "09:00", "to": "17:00", "timeZone": "Mars/Olympus"}, "time zone Mars/Olympus is not known"),
        ({"from": "09:00", "to": "17:00", "timeZone": "America"}, "time zone America is not known"),
        ({"from": "09:00", "to": "17:00", "timeZone": "../etc"}, "is not known in this image"),
    ],
)
def test_a_window_that_cannot_be_understood_says_what_to_correct(window, words):
    with pytest.raises(WindowsUnreadable, match=words):
        parse([window])
