"""When a signal holds and when it lets go again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.throttle.level import GO_ON_BELOW, Level, measured, seconds, size, still_holding

NAMES = ("a", "b", "c")
LEVELS = st.fixed_dictionaries({name: st.floats(0, 3) for name in NAMES}).map(
    lambda found: tuple(Level(name, utilization) for name, utilization in found.items())
)
HELD = st.frozensets(st.sampled_from(NAMES))


def names(levels) -> frozenset[str]:
    return frozenset(level.signal for level in levels)


@given(LEVELS, HELD)
def test_asking_again_about_the_same_readings_changes_nothing(levels, held):
    once = names(still_holding(levels, held))
    assert names(still_holding(levels, once)) == once


@given(LEVELS, HELD)
def test_a_hold_ends_when_all_readings_are_below(levels, held):
    below = tuple(Level(one.signal, one.utilization * 0.23) for one in levels)
    assert all(one.utilization < GO_ON_BELOW for one in below)
    assert still_holding(below, held) == ()


@given(LEVELS, HELD)
def test_whatever_is_at_its_limit_holds(levels, held):
    holding = names(still_holding(levels, held))
    assert {one.signal for one in levels if one.utilization >= 1} <= holding


@given(st.lists(LEVELS, min_size=1))
def test_in_a_row_of_readings_a_signal_holds_from_its_limit_until_it_is_well_below(row):
    held, expected = frozenset(), dict.fromkeys(NAMES, False)
    for levels in row:
        held = names(still_holding(levels, held))
        for one in levels:
            if one.utilization >= 1:
                expected[one.signal] = True
            elif one.utilization < GO_ON_BELOW:
                expected[one.signal] = False
        assert held == {name for name, holds in expected.items() if holds}


def test_a_signal_that_never_reached_its_limit_keeps_nobody_waiting():
    levels = (Level("a", 0.9), Level("b", 0.1))
    assert still_holding(levels, {"b"}) == ()
    assert names(still_holding(levels, {"a"})) == {"a"}


@pytest.mark.parametrize(
    ("value", "utilization", "sentence"),
    [
        (7.2, 1.44, "replica 10.0.0.7 is 7.2 s behind (limit 5 s)"),
        (4.0, 0.8, "replica 10.0.0.7 is 4 s behind (goes on below 3.5 s)"),
    ],
)
def test_a_sentence_says_the_value_and_what_is_waited_for(value, utilization, sentence):
    level = measured("lag", "replica 10.0.0.7 is", value, "behind", 5.0, seconds)
    assert (level.utilization, level.sentence) == (pytest.approx(utilization), sentence)


def test_a_limit_of_nothing_is_reached_by_anything():
    assert measured("lag", "", 0.1, "", 0.0, seconds).utilization == 1
    assert measured("lag", "", 0.0, "", 0.0, seconds).utilization == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12 B"),
        (2048, "2 KiB"),
        (256 * 1024**2, "256 MiB"),
        (4 * 1024**3, "4 GiB"),
        (1.5 * 1024**4, "1536 GiB"),
    ],
)
def test_bytes_are_said_in_the_unit_that_fits(value, text):
    assert size(value) == text
