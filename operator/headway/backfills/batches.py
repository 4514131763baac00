"""What a backfill does next: from all that is known to one order, and from what came of it to the next state.
Pure.

Rule: the state is written down in the transaction of each batch, so whoever reads it goes on exactly there. A
batch that failed has changed nothing: its place stays, and the next try is smaller, so no row is passed over
and none is seen twice by one sweep. A row that cannot be updated is parked by its key and told at the end.
"""

from collections.abc import Iterable
from dataclasses import replace

from headway.backfills.endings import next_rest
from headway.backfills.orders import (
    Again,
    Finish,
    Gather,
    Leaf,
    Look,
    Meter,
    Open,
    Order,
    Outcome,
    Plan,
    Work,
)
from headway.backfills.places import BlockPiece, Blocks, Piece, Place, fraction_of
from headway.backfills.sizes import Limits
from headway.backfills.state import State

TRIES = 10
"""Failures in a row at one place before its rows are tried one by one."""
FEW_ROWS = 64
"""A piece with bad data in it that is not larger is tried row by row; so many parked rows are tried again at once."""
FEWEST_PARKED = 50
"""Rows that cannot be updated and do not end a backfill early, however small the table is."""
PARKED_SHARE = 0.01
"""Of the table's rows: more than that is no odd row, but an expression that does not fit."""
MOST_PARKED = 1000
"""However large the table is: their keys are written down with each batch."""
FEWEST_HOT = 0.2
"""Below that, stripes do not help: an old snapshot keeps the pages from being cleaned, or an index has the
column.
"""
MOST_STRIPES = 256
"""Where rows take so long that a batch is to have fewer of them than a block has: one of each block, or two."""
PLAIN_WINDOWS = 20
"""So many windows without stripes, then they are tried again."""


def following(state: State, plan: Plan) -> tuple[State, Order]:
    """What is to be done now, and the state with the leaf and the window that it needs."""
    leaf = _leaf(state, plan)
    if state.is_shared and (leaf is None or leaf.identity != state.leaf or state.place is None):
        return state, Gather(is_given_up=True)
    if leaf is None:
        return state, _ending(state, plan)
    if leaf.identity != state.leaf:
        # Also when the leaf that was worked on is gone: its place means nothing in another one.
        state = replace(state, leaf=leaf.identity, place=None)
    if state.place is None:
        return state, Open(leaf)
    if not state.place.is_over:
        return _piece(state, leaf, plan)
    if state.is_shared:
        return state, Gather()
    swept = replace(state, done=(*state.done, state.leaf), leaf="", place=None, plain_windows=0)
    return following(swept, plan)


def in_lane(state: State, plan: Plan) -> "tuple[State, Work | None]":
    """What is to be done of a share that another lane has; None: nothing more."""
    leaf = _leaf(state, plan)
    if leaf is None or state.place is None or state.place.is_over:
        return state, None
    return _piece(state, leaf, plan)


def _piece(state: State, leaf: Leaf, plan: Plan) -> "tuple[State, Work]":
    place = state.place
    assert place is not None
    if isinstance(place, Blocks):
        stripes = _stripes(state, plan, leaf)
        place = place if place.stripes == stripes else place.cut()
        place = place.opened(state.size.rows, leaf.density, stripes)
        piece: Piece = place.piece(state.size.rows, leaf.density)
    else:
        piece = place.piece(state.size.rows)
    shows_stuck = plan.is_guarded and (state.sweep > 0 or plan.must_clear)
    return replace(state, place=place), Work(leaf, piece, state.is_one_by_one, shows_stuck)


def _leaf(state: State, plan: Plan) -> Leaf | None:
    left = [one for one in plan.leaves if one.identity not in state.done]
    return next((one for one in left if one.identity == state.leaf), left[0] if left else None)


def _ending(state: State, plan: Plan) -> Order:
    if plan.is_guarded and plan.leaves:
        if state.leftovers:
            return next_rest(state)
        return Finish() if state.is_settled else Look()
    # Along blocks there is no way back to a row: the next run sweeps again, which does no harm there.
    untried = state.parked[: len(state.parked) - state.retried]
    return Again(untried[:FEW_ROWS]) if untried and not plan.is_striped else Finish()


def _stripes(state: State, plan: Plan, leaf: Leaf) -> int:
    is_no_help = state.plain_windows > 0 and plan.needs_hot
    stripes = 1 if state.sweep > 0 or is_no_help else plan.stripes
    # A piece has at least a block of its stripe. Where updated rows are chosen again, or counted once more as stuck,
    # more stripes would repeat them.
    is_once = plan.is_guarded and state.sweep == 0
    while is_once and stripes < MOST_STRIPES and leaf.density > state.size.rows * stripes:
        stripes *= 2
    return stripes


def opened(state: State, place: Place, filenode: int) -> State:
    """The end of a leaf's sweep is known."""
    return replace(state, place=place, filenode=filenode, tries=0, window=(0, 0))


def worked(state: State, work: Work, outcome: Outcome) -> State:
    """A piece was updated: this is what its transaction writes down."""
    place = state.place
    assert place is not None
    if isinstance(place, Blocks):
        assert isinstance(work.piece, BlockPiece)
        place = place.moved(work.piece)
    else:
        place = place.moved(outcome.last, outcome.covered)
    return replace(
        state,
        place=place,
        tries=0,
        is_one_by_one=False,
        stuck=state.stuck + outcome.stuck,
        parked=state.parked + outcome.parked,
        tally=replace(state.tally, rows=state.tally.rows + outcome.updated),
    )


def measured(
    state: State, piece: Piece | None, outcome: Outcome, meter: Meter, seconds: float, limits: Limits
) -> State:
    """A batch was committed, of a piece or of leftovers: what it cost, with its commit."""
    tally = replace(
        state.tally.with_batch(seconds * 1000.0),
        batches=state.tally.batches + 1,
        wal_bytes=state.tally.wal_bytes + meter.wal_bytes,
        updates=state.tally.updates + meter.updates,
        hot_updates=state.tally.hot_updates + meter.hot_updates,
    )
    # Where no row was updated, nothing is known of what one writes.
    wal_bytes = meter.wal_bytes if outcome.updated else 0
    size = state.size.after(outcome.covered, seconds, outcome.seconds, wal_bytes, limits)
    return _watched(replace(state, tally=tally, size=size), piece, meter)


def _watched(state: State, piece: Piece | None, meter: Meter) -> State:
    """Whether stripes do what they are for is seen when a window ends."""
    if not isinstance(piece, BlockPiece) or not isinstance(state.place, Blocks):
        return state
    updates, hot = state.window
    if piece.stripe > 0:
        updates, hot = updates + meter.updates, hot + meter.hot_updates
    if state.place.start < state.place.stop:
        return replace(state, window=(updates, hot))
    is_useless = piece.stripes > 1 and updates > 0 and hot < FEWEST_HOT * updates
    windows = PLAIN_WINDOWS if is_useless else max(0, state.plain_windows - 1)
    return replace(state, window=(0, 0), plain_windows=windows)


def failed(state: State, is_data: bool, divisor: int) -> State:
    """A batch was rolled back. Bad data is searched for, everything else is tried again, smaller each
    time.
    """
    tries = 0 if is_data else state.tries + 1
    alone = (is_data and state.size.rows <= FEW_ROWS) or tries >= TRIES
    size = state.size.divided(divisor)
    rows = min(size.rows, FEW_ROWS) if alone else size.rows
    return replace(state, size=replace(size, rows=rows), tries=tries, is_one_by_one=alone)


def most_parked(plan: Plan) -> int:
    """Rows that may be parked before a backfill ends early: a hundredth of the table, but 50 at least and
    1000 at most.
    """
    rows = sum(one.rows for one in plan.leaves)
    return max(FEWEST_PARKED, min(MOST_PARKED, int(rows * PARKED_SHARE)))


def rewritten(state: State) -> State:
    """The leaf has other blocks now: its sweep starts again. Rows that were done are not chosen any more."""
    return replace(state, place=None, window=(0, 0))


def resumed(state: State, plan: Plan, was_complete: bool, lanes: "Iterable[State]" = ()) -> State:
    """By another run. What was swept is looked at again, where that does no harm: rows may have come
    since.
    """
    rows = sum(one.rows for one in plan.leaves)
    total = rows if was_complete or not state.rows_total else state.rows_total
    state = replace(state, rows_total=total, tries=0, is_one_by_one=False, retried=0, is_searched=False)
    if plan.is_guarded:
        return replace(state, is_settled=False, rounds=0, missed=0, stuck=0, left=-1, parked=(), arriving=0)
    has_parked = bool(state.parked) or any(lane.parked for lane in lanes)
    begins_again = was_complete or (plan.is_striped and has_parked)
    return replace(state, done=(), leaf="", place=None, parked=()) if begins_again else state


def fraction(state: State, plan: Plan, lanes: "Iterable[State]" = ()) -> float:
    """Of 0 to 1, over all leaves by their rows; what comes after the first sweep counts as done."""
    if state.sweep > 0 or not plan.leaves:
        return 1.0
    whole = sum(max(one.rows, 1) for one in plan.leaves)
    others = tuple(one.place for one in lanes if one.place is not None)
    return sum(max(one.rows, 1) * _fraction_of(one, state, others) for one in plan.leaves) / whole


def _fraction_of(leaf: Leaf, state: State, others: "tuple[Place, ...]") -> float:
    if leaf.identity in state.done:
        return 1.0
    is_current = leaf.identity == state.leaf and state.place is not None
    return fraction_of((state.place, *others)) if is_current and state.place is not None else 0.0
