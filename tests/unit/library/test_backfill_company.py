"""Whether anybody else writes is told by the ids of our own transactions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway.backfills.company import FIRST_SECONDS, QUIET_SECONDS, Company

STEPS = st.lists(st.tuples(st.integers(1, 3), st.floats(0.001, 20.0)), max_size=30)


def after(*ids: int, each: float = 1.0) -> tuple[Company, float]:
    company, now = Company(), 0.0
    for one in ids:
        now += each
        company = company.after(one, now)
    return company, now


def test_ids_that_follow_each_other_are_ours_alone():
    company, now = after(7, 8, 9)
    assert company.is_alone(now)


def test_nobody_is_known_to_be_away_before_a_moment_has_passed():
    company, now = after(7)
    assert not company.is_alone(now)
    company = company.after(8, now + FIRST_SECONDS / 2)
    assert not company.is_alone(now + FIRST_SECONDS / 2)
    assert company.is_alone(now + FIRST_SECONDS)


def test_an_id_that_is_missing_is_somebody_elses_for_a_while():
    company, now = after(7, 8, 10)
    assert not company.is_alone(now)
    assert not company.is_alone(now + QUIET_SECONDS - 0.01)
    assert company.is_alone(now + QUIET_SECONDS)


def test_a_server_without_ids_tells_nothing():
    company, now = after(0, 0, 0)
    assert not company.is_alone(now + 1000)
    lost = after(7, 8)[0].after(0, 3.0)
    assert not lost.is_alone(1000.0), "what is not known any more tells nothing, too"


@given(STEPS)
def test_whoever_wrote_of_late_is_never_overlooked(steps):
    company, now, own, seen = Company().after(100, 0.0), 0.0, 100, float("-inf")
    for step, seconds in steps:
        now, own = now + seconds, own + step
        seen = now if step > 1 else seen
        company = company.after(own, now)
        assert company.is_alone(now) == (now >= FIRST_SECONDS and now - seen >= QUIET_SECONDS)
