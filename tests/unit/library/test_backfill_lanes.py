"""Several lanes of one sweep: however it is divided, left and crashed, each row is visited exactly once."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.backfills import batches, lanes, places
from headway.backfills.orders import Finish, Gather, Leaf, Meter, Open, Parked, Plan, Work
from headway.backfills.places import Blocks, Keys, fraction_of
from headway.backfills.sizes import Limits, Size
from headway.backfills.state import State
from headway.backfills.stored import as_text, state_of
from headway.backfills.tally import Tally
from support.fix_depth import examples
from support.sweeping import Table, tables

LIMITS = Limits(0.1)
ACTION = st.sampled_from(["first", "lane", "divide", "crash"])


def leaf(name, rows, density):
    return Leaf("s", name, rows=rows, density=density)


class Run:
    """The first lane and others, with what each has written down; one that crashes reads that again."""

    def __init__(self, table: Table, plan: Plan, first: int):
        self.table, self.plan = table, plan
        self.states = {0: State(size=Size(first))}
        self.stored = {0: as_text(self.states[0])}
        self.percents = [0.0]

    def others(self):
        return {lane: state for lane, state in self.states.items() if lane}

    def keep(self, **changed):
        """In one transaction."""
        for name, state in changed.items():
            lane = int(name.removeprefix("lane"))
            self.states[lane], self.stored[lane] = state, as_text(state)

    def crash(self):
        others = {lane: state_of(text) for lane, text in self.stored.items() if lane}
        first = batches.resumed(state_of(self.stored[0]), self.plan, False, others.values())
        self.states = {0: first, **{lane: lanes.resumed(one, self.plan) for lane, one in others.items()}}

    def work(self, lane, state, order):
        outcome = self.table.visit(order)
        state = batches.worked(state, order, outcome)
        self.stored[lane] = as_text(state)
        self.states[lane] = batches.measured(state, order.piece, outcome, Meter(), 0.05, LIMITS)
        self.percents.append(batches.fraction(self.states[0], self.plan, self.others().values()))

    def lane(self, pick):
        """One batch of one of the others; False: there is none."""
        found = [lane for lane, state in self.others().items() if lanes.is_open(state)]
        if not found:
            return False
        lane = found[pick % len(found)]
        state, order = batches.in_lane(self.states[lane], self.plan)
        assert order is not None
        self.work(lane, state, order)
        return True

    def first(self, pick):
        """What the first lane orders; True: all is done."""
        state, order = batches.following(self.states[0], self.plan)
        if isinstance(order, Open):
            self.keep(lane0=batches.opened(state, self.table.opened(self.plan.is_striped), 0))
        elif isinstance(order, Work):
            self.work(0, state, order)
        elif isinstance(order, Gather) and not self.lane(pick):
            whole = lanes.gathered(state, self.others().values())
            self.states, self.stored = {}, {}
            self.keep(lane0=whole)
        return isinstance(order, Finish)

    def divide(self, pick):
        found = [lane for lane, state in self.states.items() if lanes.is_open(state)]
        if not found:
            return
        lane = found[pick % len(found)]
        place = self.states[lane].place
        halves = place.halves() if isinstance(place, Blocks) else self.halves_of(place, pick)
        if halves is None:
            return
        free = next(n for n in range(1, 100) if n not in self.states or not lanes.is_open(self.states[n]))
        before = self.states.get(free, State())
        kept, given = lanes.halved(self.states[lane], lane == 0, before, halves)
        self.keep(**{f"lane{lane}": kept, f"lane{free}": given})

    def halves_of(self, place, pick):
        between = [
            key
            for key in self.table.keys
            if (not place.after or key > place.after[0]) and key < place.until[0]
        ]
        return place.halves((between[pick % len(between)],)) if between else None


@settings(max_examples=examples(300), deadline=None)
@given(
    tables(),
    st.booleans(),
    st.sampled_from([1, 4, 16]),
    st.floats(1, 100),
    st.integers(1, 60),
    st.lists(st.tuples(ACTION, st.integers(0, 1000)), max_size=120),
)
def test_every_row_is_visited_once_by_one_lane_whatever_is_divided_and_wherever_it_crashes(
    table, is_striped, stripes, density, first, steps
):
    part = leaf("a", len(table.rows), density)
    plan = Plan((part,), is_striped, stripes if is_striped else 1, must_clear=False, is_guarded=False)
    run = Run(table, plan, first)
    least = places.FEWEST_BLOCKS
    places.FEWEST_BLOCKS = 1
    try:
        for action, pick in steps:
            getattr(run, action)(pick) if action != "crash" else run.crash()
        for _ in range(20_000):
            if run.first(0):
                break
        else:
            pytest.fail("it does not end")
    finally:
        places.FEWEST_BLOCKS = least
    assert set(table.visits.values()) <= {1}
    assert run.states[0].tally.rows == len(table.rows)
    if is_striped:
        assert all(after >= before - 1e-9 for before, after in itertools.pairwise(run.percents))


def cells(place):
    """Which stripe of which block is left of a share."""
    window = {
        (block, stripe)
        for stripe in range(place.stripe, place.stripes)
        for block in range(place.block if stripe == place.stripe else place.start, place.stop)
    }
    return window | {(block, n) for block in range(place.stop, place.end) for n in range(place.stripes)}


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.sampled_from([1, 4, 16]), st.data())
def test_halves_have_each_stripe_of_each_block_once(start, wide, rest, stripes, data):
    stripe = data.draw(st.integers(0, stripes - 1))
    block = data.draw(st.integers(start, start + max(0, wide - 1)))
    share = Blocks(start + wide + rest, stripes, start, start + wide, stripe if wide else 0, block, 1000)
    halves = share.halves()
    if halves is None:
        assert wide + rest < 2 * places.FEWEST_BLOCKS
        return
    kept, given_ = halves
    assert cells(kept) | cells(given_) == cells(share)
    assert not cells(kept) & cells(given_)
    assert kept.remaining + given_.remaining == pytest.approx(share.remaining)


def test_a_share_of_few_batches_stays_whole():
    part, size = leaf("a", 10_000, 50.0), Size(500)
    assert lanes.is_worth_halving(State(place=Blocks(80), size=size), part)
    assert not lanes.is_worth_halving(State(place=Blocks(79), size=size), part)
    assert lanes.is_worth_halving(State(place=Keys(("9",), 4000), size=size), part)
    assert not lanes.is_worth_halving(State(place=Keys(("9",), 4000, ("1",), 1), size=size), part)


def test_nobody_shares_keys_of_which_nobody_knows_how_many_there_are():
    assert not lanes.is_worth_halving(State(place=Keys(("9",), 0)), leaf("a", 0, 1.0))


def test_what_lanes_did_is_one_record_in_the_end():
    first = State(
        is_shared=True, stuck=1, tally=Tally(rows=10, batches=2, seconds=3.0, wal_bytes=5).with_batch(9.0)
    )
    other = State(stuck=2, tally=Tally(rows=7, batches=1, seconds=0.0, wal_bytes=4).with_batch(9.0))
    whole = lanes.gathered(first, [other, State()])
    assert (whole.is_shared, whole.stuck) == (False, 3)
    assert (whole.tally.rows, whole.tally.batches, whole.tally.seconds, whole.tally.wal_bytes) == (
        17,
        3,
        3.0,
        9,
    )
    assert sum(count for _, count in whole.tally.durations) == 2


def test_shares_count_together_until_the_last_one_is_over():
    over, half = Blocks(50, start=50, whole=100), Blocks(100, start=75, stop=75, block=75, whole=100)
    assert fraction_of([over, half]) == pytest.approx(0.75)
    assert fraction_of([over]) == 1.0
    assert fraction_of([Keys(("9",), 50, ("8",), 70, 100), Keys(("5",), 50, ("5",), 3, 100)]) < 1.0


PLAN = Plan((leaf("a", 100, 10.0),), True, 16, must_clear=False, is_guarded=False)


@pytest.mark.parametrize(
    "state",
    [
        State(leaf="s.a", is_shared=True),
        State(leaf="s.gone", place=Blocks(10, start=10), is_shared=True),
        State(leaf="s.a", done=("s.a",), is_shared=True),
    ],
    ids=["rewritten", "partition gone", "done otherwise"],
)
def test_shares_of_a_sweep_that_is_no_more_are_given_up_before_anything_else(state):
    assert batches.following(state, PLAN)[1] == Gather(is_given_up=True)


def test_a_place_in_a_partition_that_is_gone_is_none_in_the_next_one():
    state, order = batches.following(State(leaf="s.gone", place=Blocks(10)), PLAN)
    assert (order, state.place) == (Open(PLAN.leaves[0]), None)


def test_rows_that_any_lane_parked_along_blocks_are_swept_for_again():
    parked = State(leaf="s.a", place=Blocks(10), parked=(Parked("s.a", ("1",), "23514"),))
    state = batches.resumed(State(leaf="s.a", place=Blocks(10), is_shared=True), PLAN, False, [parked])
    assert batches.following(state, PLAN)[1] == Gather(is_given_up=True)
