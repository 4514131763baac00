"""When a call to the outside is made again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from headway_operator.planner.backoff import FIRST, LONGEST, pause_before_next

MESSAGES = st.text(min_size=1)
ATTEMPTS = st.integers(1, 1_000_000)


@given(MESSAGES, ATTEMPTS)
def test_a_restart_waits_exactly_as_long(message: str, attempt: int) -> None:
    assert pause_before_next(message, attempt) == pause_before_next(message, attempt)


@given(MESSAGES, ATTEMPTS)
def test_a_pause_is_never_longer_than_a_bound_that_doubles(message: str, attempt: int) -> None:
    doubled = FIRST * 2 ** min(attempt - 1, 40)
    assert timedelta(0) <= pause_before_next(message, attempt) <= min(LONGEST, doubled)


@given(MESSAGES, ATTEMPTS, st.floats(0, 3600))
def test_nobody_comes_back_before_the_time_that_was_asked_for(
    message: str, attempt: int, asked: float
) -> None:
    assert pause_before_next(message, attempt, asked) >= timedelta(seconds=asked)


def test_messages_that_failed_together_are_spread_over_the_whole_pause() -> None:
    tenths = {int(pause_before_next(f"msg_{number}", 4) / (FIRST * 8) * 10) for number in range(1000)}
    assert tenths == set(range(10))


def test_attempts_of_one_message_wait_differently() -> None:
    assert len({pause_before_next("msg_1", attempt) for attempt in range(9, 19)}) == 10
