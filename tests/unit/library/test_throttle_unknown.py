"""What follows from a signal that cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.throttle.level import Level, still_holding
from headway.throttle.limits import Limits
from headway.throttle.seen import STALE_SECONDS, Seen, level_of, worth_telling
from headway.throttle.signals.signal import Signal, Unreadable, nobody_named_it, somebody_named_it
from headway.wishes import Wishes

NO_ANSWER = Unreadable("this role may not")


def signal(is_named) -> Signal:
    def judge(reading: float, limits: Limits) -> Level:
        return Level("lag", reading / limits.lag_seconds, f"lag is {reading}")

    return Signal("lag", lambda ask: 0.0, judge, is_named)


NAMED, FOUND = signal(somebody_named_it), signal(nobody_named_it)
OUTCOMES = st.lists(st.tuples(st.floats(0, 20), st.just(NO_ANSWER) | st.floats(0, 10)))


def holds(one: Signal, seen: Seen, now: float) -> bool:
    return bool(still_holding((level_of(one, seen, now, Wishes(), Limits()),)))


@given(OUTCOMES, st.floats(0, 40))
def test_a_named_signal_that_is_not_known_never_lets_work_go_on(outcomes, later):
    seen, now, read_at = Seen(), 0.0, None
    for elapsed, outcome in outcomes:
        now += elapsed
        seen = seen.after(outcome, now)
        read_at = read_at if outcome is NO_ANSWER else now
        if read_at is None or now - read_at > STALE_SECONDS:
            assert holds(NAMED, seen, now)
    now += later
    if read_at is None or now - read_at > STALE_SECONDS:
        assert holds(NAMED, seen, now)


@given(OUTCOMES)
def test_a_signal_that_was_only_found_holds_nobody_while_it_is_not_known(outcomes):
    seen, now = Seen(), 0.0
    for elapsed, outcome in outcomes:
        now += elapsed
        seen = seen.after(outcome, now)
    assert not holds(FOUND, seen, now + STALE_SECONDS + 0.1)


def test_a_failed_look_leaves_the_last_reading_standing_for_a_while():
    seen = Seen().after(7.0, 100.0).after(NO_ANSWER, 101.0)
    assert level_of(NAMED, seen, 115.0, Wishes(), Limits()).sentence == "lag is 7.0"
    assert (
        level_of(NAMED, seen, 115.1, Wishes(), Limits()).sentence == "lag cannot be read: this role may not"
    )


def test_what_cannot_be_read_is_no_reason_to_work_less_later():
    assert not level_of(NAMED, Seen(), 0.0, Wishes(), Limits()).is_load


def test_before_the_first_answer_a_named_signal_says_that_there_is_none():
    level = level_of(NAMED, Seen(), 0.0, Wishes(), Limits())
    assert level.sentence == "lag cannot be read: the database has not answered"


@pytest.mark.parametrize(
    ("one", "seen", "sentence"),
    [
        (
            FOUND,
            Seen(trouble=NO_ANSWER),
            "lag cannot be read, the backfill goes on without: this role may not",
        ),
        (FOUND, Seen().after(1.0, 0.0).after(NO_ANSWER, 1.0), ""),
        (FOUND, Seen(), ""),
        (FOUND, Seen(trouble=Unreadable("nowhere", is_usual=True)), ""),
        (NAMED, Seen(trouble=NO_ANSWER), ""),
    ],
    ids=["unknown", "still fresh", "not looked at yet", "usual", "named: the hold says it"],
)
def test_what_is_told_of_a_signal_that_is_left_out(one, seen, sentence):
    assert worth_telling(one, seen, 2.0, Wishes()) == sentence
