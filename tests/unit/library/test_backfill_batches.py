"""The core of a backfill: whatever fails, each row is visited exactly once by a sweep, and a crash loses nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.backfills import batches
from headway.backfills.orders import Finish, Leaf, Look, Meter, Open, Outcome, Parked, Plan, Work
from headway.backfills.places import Blocks, KeyPiece, Keys
from headway.backfills.sizes import Limits, Size
from headway.backfills.state import State
from headway.backfills.stored import as_text, state_of
from support.fix_depth import examples
from support.sweeping import tables

LIMITS = Limits(0.1)
FAIL = st.sampled_from(["data", "busy", "slow"])
STEP = st.one_of(st.just("work"), FAIL, st.just("crash"), st.just("lost after commit"))


def leaf(name, rows, density):
    return Leaf("s", name, rows=rows, density=density)


@settings(max_examples=examples(300), deadline=None)
@given(
    st.lists(tables(), min_size=1, max_size=3),
    st.sampled_from(["keys", "blocks", "blocks, guarded"]),
    st.sampled_from([1, 4, 8, 16]),
    st.floats(1, 100),
    st.integers(1, 200),
    st.lists(STEP, max_size=60),
    st.lists(st.floats(0.001, 2.0), max_size=60),
)
def test_every_row_is_visited_exactly_once_whatever_fails_and_wherever_it_crashes(
    parts, way, stripes, density, first, steps, seconds
):
    """A guard allows more stripes where rows take long."""
    is_striped, is_guarded = way != "keys", way.endswith("guarded")
    leaves = tuple(leaf(str(number), len(part.rows), density) for number, part in enumerate(parts))
    named = dict(zip((one.identity for one in leaves), parts, strict=True))
    plan = Plan(leaves, is_striped, stripes if is_striped else 1, must_clear=False, is_guarded=is_guarded)
    state = State(size=Size(first))
    stored, percents = as_text(state), [0.0]
    steps, seconds = iter(steps), iter(seconds)
    for _ in range(20_000):
        after, order = batches.following(state, plan)
        if isinstance(order, (Finish, Look)):
            break
        step = next(steps, "work")
        if step == "crash":
            state = batches.resumed(state_of(stored), plan, was_complete=False)
            continue
        state = after
        if isinstance(order, Open):
            state = batches.opened(state, named[order.leaf.identity].opened(is_striped), 0)
            stored = as_text(state)
            continue
        assert isinstance(order, Work)
        if step in ("data", "busy", "slow"):
            state = batches.failed(state, step == "data", 4 if step != "busy" else 2)
            continue
        took = next(seconds, 0.05)
        outcome = replace(named[order.leaf.identity].visit(order), seconds=took)
        state = batches.worked(state, order, outcome)
        stored = as_text(state)
        if step == "lost after commit":
            state = state_of(stored)
            continue
        state = batches.measured(state, order.piece, outcome, Meter(), took, LIMITS)
        percents.append(batches.fraction(state, plan))
    assert isinstance(order, Look if is_guarded else Finish)
    assert {count for part in parts for count in part.visits.values()} <= {1}
    assert percents == sorted(percents)
    assert state.tally.rows == sum(len(part.rows) for part in parts)


@given(st.integers(1, 5), st.booleans(), st.integers(0, 3000), st.lists(FAIL, max_size=30))
def test_a_state_that_was_written_down_is_the_same_when_it_is_read(sweep, is_striped, rows, kinds):
    place = Blocks(100, 8, 10, 30, 3, 12) if is_striped else Keys(("z", "9"), 100, ("a", "1"), 5)
    state = State(
        done=("s.a",),
        leaf="s.b",
        place=place,
        filenode=7,
        sweep=sweep,
        parked=(Parked("s.b", ("1", "x"), "22012"),),
    )
    state = replace(state, tally=replace(state.tally.with_batch(12.0).with_batch(200.0), rows=rows))
    for kind in kinds:
        state = batches.failed(state, kind == "data", 2)
    assert state_of(as_text(state)) == state


PLAN = Plan((leaf("a", 100, 10.0),), True, 16, must_clear=False, is_guarded=True)


def test_a_piece_with_bad_data_is_divided_until_its_rows_are_tried_one_by_one():
    state, divided = State(leaf="s.a", place=Blocks(10)), 0
    while not state.is_one_by_one:
        state, divided = batches.failed(state, is_data=True, divisor=4), divided + 1
    assert divided == 3
    assert state.size.rows <= batches.FEW_ROWS


def test_a_place_that_fails_again_and_again_is_tried_row_by_row():
    state, tries = State(leaf="s.a", place=Blocks(10), size=Size(50_000)), 0
    while not state.is_one_by_one:
        state, tries = batches.failed(state, is_data=False, divisor=2), tries + 1
    assert tries == batches.TRIES


def through_a_window(state, hot, plan=PLAN):
    while True:
        state, order = batches.following(state, plan)
        outcome = Outcome(5000, 5000)
        state = batches.worked(state, order, outcome)
        state = batches.measured(state, order.piece, outcome, Meter(0, 10, hot), 0.1, LIMITS)
        if state.place.start == state.place.stop:
            return state, order


def test_stripes_that_are_no_help_are_left_for_some_windows_and_tried_again():
    state = State(leaf="s.a", place=Blocks(100_000))
    state, order = through_a_window(state, hot=0)
    assert order.piece.stripes == 16
    for _ in range(batches.PLAIN_WINDOWS):
        state, order = through_a_window(state, hot=0)
        assert order.piece.stripes == 1
    state, order = through_a_window(state, hot=8)
    assert order.piece.stripes == 16
    state, order = through_a_window(state, hot=8)
    assert order.piece.stripes == 16


def test_stripes_that_are_for_the_room_alone_are_kept():
    plan = replace(PLAN, needs_hot=False)
    state, _ = through_a_window(State(leaf="s.a", place=Blocks(100_000)), 0, plan)
    assert batches.following(state, plan)[1].piece.stripes == 16


def test_the_total_of_the_first_run_stays_through_restarts_and_a_rerun_of_what_was_complete_has_its_own():
    plan = Plan((Leaf("s", "a", rows=900),), False, 1, False, True)
    bloated = replace(plan, leaves=(Leaf("s", "a", rows=1700),))
    state = batches.resumed(State(), plan, was_complete=False)
    again = batches.resumed(state_of(as_text(state)), bloated, was_complete=False)
    assert (state.rows_total, again.rows_total) == (900, 900)
    assert batches.resumed(again, bloated, was_complete=True).rows_total == 1700


@pytest.mark.parametrize(
    ("rows", "most"), [(0, 50), (4_999, 50), (5_100, 51), (60_000, 600), (100_000, 1000), (10**9, 1000)]
)
def test_a_hundredth_of_the_rows_may_be_bad_but_fifty_at_least_and_a_thousand_at_most(rows, most):
    half = Leaf("s", "a", rows=rows // 2)
    other = Leaf("s", "b", rows=rows - rows // 2)
    assert batches.most_parked(Plan((half, other), False, 1, False, True)) == most


def test_a_batch_in_which_no_row_was_updated_does_not_tell_what_one_writes():
    limits, piece = Limits(0.1, row_bytes=1, toast_bytes=2**20 - 1), KeyPiece(None, ("9",), 16)
    state = State(size=Size(16))
    skipped = batches.measured(state, piece, Outcome(0, 16, ("9",)), Meter(wal_bytes=100), 0.001, limits)
    updated = batches.measured(state, piece, Outcome(16, 16, ("9",)), Meter(wal_bytes=100), 0.001, limits)
    assert skipped.size.rows == 16 < updated.size.rows


@pytest.mark.parametrize("stripes", [1, 4, 16])
def test_where_rows_take_long_a_batch_has_fewer_of_them_than_a_block_and_each_once(stripes):
    """Of a window that was opened with more than one stripe before that was known, as few as its stripe has."""
    blocks, lines = 40, 64
    plan = Plan((Leaf("s", "a", rows=blocks * lines, density=lines),), True, stripes, False, is_guarded=True)
    state = State(leaf="s.a", place=Blocks(blocks))
    visits, widest = Counter(), []
    while not state.place.is_over:
        state, order = batches.following(state, plan)
        piece = order.piece
        chosen = range(piece.stripe, lines, piece.stripes)
        visits.update((block, line) for block in range(piece.first, piece.last) for line in chosen)
        rows = len(chosen) * (piece.last - piece.first)
        widest.append(rows)
        outcome = Outcome(rows, rows, seconds=rows * 0.05)
        state = batches.measured(
            batches.worked(state, order, outcome), piece, outcome, Meter(), rows * 0.05, Limits(0.1)
        )
    assert set(visits.values()) == {1}
    assert len(visits) == blocks * lines
    usual = sorted(widest[30:])[: -len(widest) // 20]
    assert max(usual) <= (8 if stripes == 1 else lines // stripes)
    assert max(widest[30:]) <= 16, "now and then a larger one tells whether it still is the rows"


def test_a_window_of_which_nothing_is_done_is_opened_anew_with_more_stripes():
    state = State(leaf="s.a", place=Blocks(5000))
    plan = replace(PLAN, leaves=(leaf("a", 250_000, 50.0),))
    state, order = batches.following(state, plan)
    assert order.piece.stripes == 16
    for _ in range(4):
        state = batches.failed(state, is_data=False, divisor=4)
    state, order = batches.following(state, plan)
    assert order.piece.stripes > 16
    assert (order.piece.first, order.piece.stripe) == (0, 0)


def test_a_later_sweep_counts_each_row_that_is_stuck_once():
    """With more stripes than one it would come upon the new version of such a row again."""
    state = State(leaf="s.a", place=Blocks(10), sweep=1, size=Size(1))
    assert batches.following(state, PLAN)[1].piece.stripes == 1
