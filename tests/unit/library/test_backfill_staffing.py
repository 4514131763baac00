"""How many sessions work: added slowly while the database has room, taken away fast when it has none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway.backfills.staffing import ADD_SECONDS, DROP_SECONDS, Staff


def after(utilization, wanted, seconds, limit=8, is_held=False):
    return Staff(0.0, wanted).after(utilization, is_held, limit, seconds).wanted


def test_one_is_added_when_the_last_change_is_long_enough_ago():
    assert after(0.39, 2, ADD_SECONDS) == 3
    assert after(0.39, 2, ADD_SECONDS - 0.1) == 2
    assert after(0.4, 2, 1000.0) == 2


def test_nobody_is_added_while_it_holds_and_never_above_the_limit():
    assert after(0.0, 2, 1000.0, is_held=True) == 2
    assert after(0.0, 2, 1000.0, limit=2) == 2


def test_near_a_limit_one_leaves_and_at_it_half_of_them():
    assert after(0.7, 5, DROP_SECONDS) == 4
    assert after(0.99, 1, DROP_SECONDS) == 1
    assert after(1.0, 5, DROP_SECONDS) == 2
    assert after(3.0, 1, DROP_SECONDS) == 1
    assert after(1.0, 5, DROP_SECONDS - 0.1) == 5


def test_a_lower_limit_counts_at_once():
    assert after(0.5, 5, 0.0, limit=2) == 2


@given(st.lists(st.tuples(st.floats(0, 2), st.booleans(), st.integers(1, 32), st.floats(0, 20))))
def test_there_is_always_one_and_never_more_than_the_limit(looks):
    staff, now = Staff(0.0), 0.0
    for utilization, is_held, limit, seconds in looks:
        now += seconds
        before, staff = staff, staff.after(utilization, is_held, limit, now)
        assert 1 <= staff.wanted <= limit
        assert staff.wanted <= before.wanted + 1
