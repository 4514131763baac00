"""How a backfill ends: until nothing is left that can be helped, and never endlessly."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from headway.backfills import batches, endings
from headway.backfills.orders import (
    Again,
    Finish,
    Leaf,
    Left,
    Leftover,
    Look,
    Open,
    Outcome,
    Parked,
    Plan,
    Rest,
    Work,
)  # fmt: skip
from headway.backfills.places import Blocks
from headway.backfills.sizes import Size
from headway.backfills.state import State
from headway.backfills.stored import as_text, state_of

A, B = Leaf("s", "a", 1, rows=100, density=10.0), Leaf("s", "b", 2, rows=50, density=10.0)
PLAN = Plan((A, B), True, 16, must_clear=False, is_guarded=True)
ONCE = replace(PLAN, is_guarded=False, is_striped=False, stripes=1)
SWEPT = State(done=(A.identity, B.identity))
PARKED = (Parked(A.identity, ("1",), "23514"),)


def order(state, plan=PLAN):
    return batches.following(state, plan)[1]


def many(rows):
    """So many that they are swept again."""
    return Left(rows, rows)


def few(rows):
    half = rows // 2
    return Left(rows, rows, tuple(Leftover(A if n < half else B, f"(0,{n})") for n in range(rows)))


def swept_again(state):
    """Every leaf, without a row."""
    while isinstance((found := order(state)), Open):
        state = batches.opened(batches.following(state, PLAN)[0], Blocks(0), 0)
    assert found == Look()
    return batches.following(state, PLAN)[0]


def a_round(state, rows, met, stuck=0):
    """A look that finds so many rows, of which so many are still where they were."""
    state = endings.looked(state, few(rows))
    while isinstance((found := order(state)), Rest):
        updated = min(len(found.rows), met)
        outcome = Outcome(updated, 1, stuck=min(updated, stuck))
        state, met = endings.rested(state, found, outcome), met - updated
    return state


def test_the_table_is_looked_at_when_all_its_leaves_are_swept():
    assert isinstance(order(State(done=(A.identity,))), Open)
    assert order(SWEPT) == Look()


def test_nothing_left_is_the_end():
    assert order(endings.looked(SWEPT, Left(0, 0))) == Finish()


def test_rows_that_only_the_callers_condition_meets_are_the_end_and_counted():
    state = endings.looked(SWEPT, Left(0, 7))
    assert order(state) == Finish()
    assert (state.remaining, state.arriving) == (7, 0)


def test_many_rows_are_swept_again_in_order_and_told_when_they_do_not_change():
    state, found = batches.following(endings.looked(SWEPT, many(20_000)), PLAN)
    assert found == Open(A)
    _, found = batches.following(batches.opened(state, Blocks(12), 0), PLAN)
    assert isinstance(found, Work)
    assert found.shows_stuck
    assert found.piece.stripes == 1


def test_rows_that_an_update_does_not_change_end_the_sweeps():
    state = endings.looked(replace(SWEPT, sweep=1, stuck=20_000, left=20_000), many(20_000))
    assert order(state) == Finish()
    assert (state.remaining, state.arriving) == (20_000, 0)


def test_many_rows_that_writers_leave_again_and_again_do_not_make_it_endless():
    state, looks = SWEPT, 0
    while not state.is_settled:
        state, looks = endings.looked(swept_again(state) if state.sweep else state, many(20_000)), looks + 1
    assert looks == endings.FEWEST_SWEEPS + 1
    assert (state.remaining, state.arriving) == (20_000, 20_000)


def test_rows_that_get_fewer_are_swept_until_none_is_left():
    state, left = SWEPT, 10**9
    while not state.is_settled:
        left //= 3
        state = endings.looked(swept_again(state) if state.sweep else state, many(left))
        if state.sweep == endings.MOST_SWEEPS - 1:
            left = 0
    assert state.remaining == 0


def test_a_few_leftovers_are_updated_leaf_by_leaf_in_batches_and_looked_for_again():
    state = endings.looked(replace(SWEPT, size=Size(3)), few(8))
    seen = []
    while isinstance((found := order(state)), Rest):
        seen.append((found.leaf, len(found.rows)))
        state = endings.rested(state, found, Outcome(len(found.rows), 1))
    assert seen == [(A, 3), (A, 1), (B, 3), (B, 1)]
    assert found == Look()
    assert state.tally.rows == 8


def test_leftovers_that_an_update_does_not_change_end_the_rounds():
    state = endings.looked(a_round(SWEPT, 10, met=10, stuck=10), few(10))
    assert (order(state), state.remaining, state.arriving) == (Finish(), 10, 0)


def test_leftovers_that_are_parked_end_the_rounds():
    state = endings.looked(SWEPT, few(2))
    found = order(state)
    state = endings.rested(state, found, Outcome(0, 1, parked=PARKED))
    state = endings.rested(state, order(state), Outcome(1, 1))
    state = endings.looked(state, few(1))
    assert (order(state), state.parked) == (Finish(), PARKED)


def test_a_round_that_missed_nothing_is_the_last_one_when_writers_go_on():
    state, rounds = SWEPT, 0
    while not state.is_settled:
        state, rounds = a_round(state, 10, met=10), rounds + 1
    assert rounds == endings.FEWEST_ROUNDS + 1
    assert (state.remaining, state.arriving) == (10, 10)


def test_rounds_go_on_while_writers_change_rows_between_look_and_update():
    state = SWEPT
    for _ in range(endings.MOST_ROUNDS - 1):
        state = a_round(state, 10, met=9)
        assert not state.is_settled
    assert a_round(a_round(state, 10, met=10), 10, met=10).is_settled


@given(st.lists(st.integers(0, 10), max_size=50))
def test_leftovers_never_go_on_for_ever(met):
    state, rounds = SWEPT, 0
    while not state.is_settled:
        state, rounds = a_round(state, 10, met=met[rounds] if rounds < len(met) else 5), rounds + 1
    assert rounds <= endings.MOST_ROUNDS + 1


def test_leftovers_are_not_written_down():
    text = as_text(endings.looked(SWEPT, few(4)))
    assert "(0,1)" not in text
    assert order(state_of(text)) == Look()


def test_the_next_run_looks_again_for_rows_came_while_nobody_worked():
    settled = endings.looked(replace(SWEPT, parked=PARKED, sweep=1), few(1))
    assert order(settled) == Finish()
    for was_complete in (False, True):
        assert order(batches.resumed(settled, PLAN, was_complete)) == Look()


def test_where_nothing_is_swept_again_parked_rows_are_tried_once_at_the_end_of_each_run():
    state = replace(SWEPT, parked=PARKED)
    assert order(state, ONCE) == Again(PARKED)
    state = endings.retried(state, PARKED, Outcome(0, 1, parked=PARKED))
    assert order(state, ONCE) == Finish()
    state = batches.resumed(state, ONCE, was_complete=False)
    assert order(state, ONCE) == Again(PARKED)


@given(st.lists(st.booleans(), max_size=300))
def test_many_parked_rows_are_tried_a_few_at_a_time_so_their_locks_are_short(heals):
    rows = tuple(Parked(A.identity, (str(number),), "23514") for number in range(len(heals)))
    healed = {row for row, heal in zip(rows, heals, strict=True) if heal}
    state, tried = replace(SWEPT, parked=rows), []
    while isinstance(following := order(state, ONCE), Again):
        assert len(following.parked) <= batches.FEW_ROWS
        tried += following.parked
        still = tuple(row for row in following.parked if row not in healed)
        state = endings.retried(
            state, following.parked, Outcome(len(following.parked) - len(still), 0, parked=still)
        )
    assert tuple(tried) == rows
    assert set(state.parked) == set(rows) - healed
    assert state.tally.rows == len(healed)


def test_what_may_be_repeated_is_swept_again_once_it_was_complete():
    assert order(batches.resumed(SWEPT, ONCE, was_complete=True), ONCE) == Open(A)
    assert order(batches.resumed(SWEPT, ONCE, was_complete=False), ONCE) == Finish()
