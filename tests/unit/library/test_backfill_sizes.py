"""The size of a batch follows the time that batches take, within its bounds."""

from __future__ import annotations

import random
from itertools import pairwise
from statistics import median, mode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.backfills.sizes import (
    ANOTHER_SIZE,
    CUT,
    FEWEST_ROWS,
    GROWTH,
    MOST_ROWS,
    MOST_WAL_BYTES,
    TOO_LONG,
    Limits,
    Size,
)
from headway.pace import PACES
from support.fix_depth import examples

LIMITS = Limits(0.1)


def settled(rate, limits=LIMITS, size=None, times=60, bare_seconds=0.0, wal=0):
    """`bare_seconds`: of a batch with no row in it; `wal`: bytes of each row."""
    size = size or Size()
    for _ in range(times):
        taken = size.rows / rate
        size = size.after(size.rows, bare_seconds + taken, taken, size.rows * wal, limits)
    return size


@pytest.mark.parametrize(
    ("rate", "rows"),
    [(20_000, 2000), (100_000, 10_000), (565, 56), (0.1, 1), (10**7, 50_000)],
)
def test_a_steady_server_gets_batches_of_the_target_time(rate, rows):
    assert settled(rate).rows == pytest.approx(rows, rel=0.02)


def test_another_pace_is_reached_without_a_new_beginning():
    balanced = settled(20_000)
    assert settled(20_000, Limits(0.025), balanced).rows == pytest.approx(500, rel=0.02)
    assert settled(20_000, Limits(0.5), balanced).rows == pytest.approx(10_000, rel=0.02)


def test_a_slower_pace_counts_from_the_next_batch_on_and_makes_none_larger():
    fast = settled(20_000, Limits(0.5))
    assert fast.slowed(Limits(0.025)).rows == pytest.approx(500, rel=0.02)
    assert Size(7, 20_000).slowed(Limits(0.025)).rows == 7
    assert Size(500).slowed(Limits(0.025)).rows == 500, "nothing is known of the rate yet"


@given(st.integers(50, 50_000), st.floats(0.0001, 0.49))
def test_one_batch_changes_the_size_by_no_more_than_half(rows, seconds):
    after = Size(rows, 20_000).after(rows, seconds, 0.0, 0, LIMITS).rows
    assert rows * 0.5 - 1 <= after <= max(rows * 1.5, FEWEST_ROWS)


def test_a_batch_of_five_times_the_target_is_quartered_at_once():
    assert Size(4000, 40_000).after(4000, 0.51, 0.51, 0, LIMITS).rows == 1000


@given(st.integers(2, 50_000), st.floats(0.0, 10**6), st.floats(0.51, 100))
def test_a_batch_of_rows_that_take_far_too_long_is_followed_by_none_that_is_larger(rows, rate, seconds):
    before = Size(rows, rate)
    assert before.after(rows, seconds, seconds, 0, LIMITS).rows < rows
    assert Size(12, 10).after(12, 1.2, 1.2, 0, LIMITS).rows == 3


@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
@pytest.mark.parametrize("rate", [10, 20, 50, 100, 500])
def test_rows_that_take_long_get_no_batches_longer_than_one_row_or_the_target(pace, rate):
    limits = Limits(pace.target_ms / 1000)
    for size in (Size(), Size(12), Size(1), Size(50_000, 10**6)):
        few = settled(rate, limits, size, times=100).rows
        assert few == 1 or few / rate <= limits.target_seconds * (TOO_LONG if few >= FEWEST_ROWS else 1.01)
        assert (few + 1) * GROWTH / rate >= limits.target_seconds / CUT * TOO_LONG


@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
@pytest.mark.parametrize("rate", [3, 5, 8, 20, 50])
def test_whether_it_is_the_rows_is_asked_again_ever_more_seldom_and_with_fewer_rows_where_there_are_some(
    pace, rate
):
    limits = Limits(pace.target_ms / 1000)
    sizes = [settled(rate, limits)]
    for _ in range(2000):
        sizes.append(settled(rate, limits, sizes[-1], times=1))
    rows = [size.rows for size in sizes]
    usual = mode(rows)
    asked = usual * CUT if usual < ANOTHER_SIZE else usual // CUT or 1
    assert 3 <= sum(now == asked and before == usual for before, now in pairwise(rows)) <= 7
    assert set(rows) <= ({usual, asked} if asked > usual else {*range(1, usual + 1)})


@pytest.mark.parametrize("bare_seconds", [0.03, 0.2, 2.0])
def test_a_slow_commit_is_no_reason_for_a_batch_of_one_row(bare_seconds):
    for size in (Size(), Size(1), Size(12)):
        assert settled(20_000, Limits(0.025), size, bare_seconds=bare_seconds).rows >= FEWEST_ROWS
    assert 25 <= settled(1000, Limits(0.025), Size(1), bare_seconds=bare_seconds).rows <= FEWEST_ROWS


@pytest.mark.parametrize("seconds", [0.03, 0.3, 2.0])
@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
def test_what_each_batch_takes_whatever_its_rows_are_brings_it_down_no_further(pace, seconds):
    """Such as a subquery of the user's that is read anew for each."""
    limits = Limits(pace.target_ms / 1000)
    for first in (Size(), Size(12), Size(1), Size(50_000, 10**6)):
        size = first
        for _ in range(100):
            taken = seconds + size.rows / 100_000
            size = size.after(size.rows, taken, taken, 0, limits)
        assert size.rows >= FEWEST_ROWS


@given(st.integers(0, 2**32), st.floats(0.05, 2.0), st.floats(0.0, 0.3))
def test_it_does_so_also_where_that_takes_now_more_and_now_less(seed, seconds, part):
    chance, size, rows = random.Random(seed), Size(), []
    for _ in range(300):
        taken = seconds * (1 + part * chance.uniform(-1, 1)) + size.rows / 100_000
        size = size.after(size.rows, taken, taken, 0, LIMITS)
        rows.append(size.rows)
    assert sum(rows[-100:]) / 100 >= FEWEST_ROWS / 5


@pytest.mark.parametrize("outlier", [0.2, 2.0])
@pytest.mark.parametrize("seconds", [0.06, 0.11, 0.15, 0.3])
@pytest.mark.parametrize("batch_rows", [3, 8, 50, 50_000])
def test_batches_that_were_slow_by_chance_bring_it_down_for_a_while_only(batch_rows, seconds, outlier):
    limits = Limits(0.1, rows=batch_rows)
    sizes = [Size().within(limits)]
    for number in range(400):
        taken = seconds + (outlier if number < 300 and number % 60 == 0 else 0.0)
        sizes.append(sizes[-1].after(sizes[-1].rows, taken, taken, 0, limits))
    assert median(size.rows for size in sizes[-30:]) >= min(FEWEST_ROWS, batch_rows)


@pytest.mark.parametrize("row_seconds", [0.005, 0.02, 0.05, 0.2])
@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
@settings(max_examples=examples(20))
@given(seed=st.integers(0, 2**32))
def test_nor_do_they_leave_batches_of_slow_rows_long(pace, row_seconds, seed):
    chance, size, limits, usual = random.Random(seed), Size(), Limits(pace.target_ms / 1000), []
    for _ in range(500):
        taken = size.rows * row_seconds * chance.uniform(0.7, 1.3)
        usual.append(size.rows * row_seconds if size.rows > 1 else 0.0)
        stall = 2.0 if chance.random() < 0.02 else 0.0
        size = size.after(size.rows, taken + stall, taken + stall, 0, limits)
    assert median(usual[100:]) <= TOO_LONG * limits.target_seconds


@pytest.mark.parametrize("row_seconds", [0.005, 0.02, 0.05])
@pytest.mark.parametrize("seconds", [0.1, 0.3, 1.0])
def test_where_both_take_long_the_rows_take_about_as_long_as_the_rest(seconds, row_seconds):
    size, rows = Size(), []
    for _ in range(400):
        taken = seconds + size.rows * row_seconds
        size = size.after(size.rows, taken, taken, 0, LIMITS)
        rows.append(size.rows)
    usual = sorted(rows[-100:])[50]
    assert usual >= FEWEST_ROWS or seconds / 3 <= usual * row_seconds <= seconds * 2


@pytest.mark.parametrize("rate", [10, 20, 50])
@pytest.mark.parametrize("before", [600, 1000, 100_000])
def test_rows_that_get_slow_while_it_runs_come_in_small_batches_and_in_large_ones_afterwards(before, rate):
    fast = settled(before)
    slow = settled(rate, size=fast)
    assert slow.rows == 1 or slow.rows / rate <= TOO_LONG * 0.1
    assert settled(before, size=slow).rows == pytest.approx(fast.rows, rel=0.02)


def test_toast_counts_until_it_is_known_what_a_row_writes():
    limits = Limits(10.0, row_bytes=1, toast_bytes=2**20 - 1)
    assert Size().within(limits).rows == 16
    assert Size(16).after(16, 0.1, 0.1, 0, limits).rows == 16
    assert Size(16).after(16, 0.1, 0.1, 16 * 200, limits).rows > 16
    assert Size(16).after(16, 0.1, 0.1, 16 * 2**20, limits).rows == 24
    assert Size(24, row_wal=2**20).after(24, 0.1, 0.1, 24 * 2**20, limits).rows == 32
    assert Size(500, 1000, row_wal=200).divided(2).within(limits).rows == 250, (
        "a failure says nothing of that"
    )


def test_much_wal_makes_batches_smaller_whatever_the_time():
    assert Size(4000, 40_000).after(4000, 0.1, 0.1, 4 * MOST_WAL_BYTES, LIMITS).rows == 1000
    assert Size(50, 500).after(50, 0.1, 0.1, 100 * 2**20, LIMITS).rows == 16
    assert Size(1, 500).after(1, 0.002, 0.002, 100 * 2**20, LIMITS).rows == 1


def test_wide_rows_settle_at_what_may_be_written_at_once_and_do_not_exceed_it_again():
    size = settled(500, wal=2 * 2**20)
    for _ in range(20):
        size = settled(500, size=size, times=1, wal=2 * 2**20)
        assert size.rows == 16


def test_wide_rows_make_batches_smaller():
    assert settled(100_000, Limits(0.1, row_bytes=16_384)).rows == 1024


@given(
    st.integers(1, 60_000),
    st.lists(st.tuples(st.floats(1e-6, 10), st.floats(0, 1), st.integers(0, 10**9)), max_size=30),
)
def test_a_batch_never_leaves_its_bounds(first, taken):
    size = Size(first)
    for seconds, share, wal in taken:
        size = size.after(size.rows, seconds, seconds * share, wal, LIMITS)
        assert 1 <= size.rows <= MOST_ROWS


def test_the_callers_own_bound_holds():
    assert settled(100_000, Limits(0.1, rows=7)).rows == 7


@pytest.mark.parametrize(
    ("table_rows", "rows"), [(0, 10_000), (10**7, 10_000), (500_000, 2500), (20_000, 500), (10, 500)]
)
def test_a_batch_takes_no_more_than_its_share_of_a_small_table(table_rows, rows):
    limits = Limits(0.1, table_rows=table_rows, most_share=1 / 200)
    assert settled(100_000, limits).rows == pytest.approx(rows, rel=0.02)


def test_a_failure_may_go_down_to_one_row():
    size = Size(500)
    for _ in range(10):
        size = size.divided(4)
    assert size.rows == 1


@pytest.mark.parametrize(("utilization", "rows"), [(0.69, 1000), (0.7, 800), (1.0, 800)])
def test_a_database_near_its_limits_gets_smaller_batches(utilization, rows):
    assert Size(1000, 10_000).busy(utilization, LIMITS).rows == rows


@pytest.mark.parametrize(("size", "rows"), [(Size(12), 12), (Size(5, 50), 5), (Size(1, 10), 1)])
def test_no_database_near_its_limits_gets_larger_ones(size, rows):
    assert size.busy(0.9, LIMITS).rows == rows


@given(st.integers(1, 50_000), st.integers(1, 50_000))
def test_the_bounds_hold_from_the_first_batch_on_and_make_nothing_larger(rows, most):
    assert Size(rows).within(Limits(0.1, rows=most)).rows == min(rows, most)
