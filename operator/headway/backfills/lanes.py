"""How several sessions share a sweep: each works on a lane, a share of a leaf with a state of its own. Pure.

Rule: the shares of a leaf are disjoint and make it up together, so each row belongs to one lane. The first lane's
state speaks for the whole backfill; the others know only their share. When all shares are over they are made one
state again, and everything that follows a sweep is done by the first lane alone.
"""

from collections.abc import Iterable
from dataclasses import replace

from headway.backfills.orders import Leaf, Plan
from headway.backfills.places import Blocks, Place
from headway.backfills.state import State
from headway.backfills.tally import Tally

FEWEST_BATCHES = 8
"""Of a share that is divided: less than that is done before another session has found its place."""


def is_open(lane: State) -> bool:
    """Something of its share is left."""
    return lane.place is not None and not lane.place.is_over


def is_worth_halving(state: State, leaf: Leaf) -> bool:
    """By the rows that are left of its share, as far as they are known."""
    if state.place is None:
        return False
    density = leaf.density if isinstance(state.place, Blocks) else 1.0
    return state.place.remaining * density >= FEWEST_BATCHES * state.size.rows


def halved(
    state: State, is_first: bool, other: State, halves: "tuple[Place, Place]"
) -> "tuple[State, State]":
    """The state of a lane which keeps one half, and that of another, which gets the other one.

    What the other lane has done of a share that is over stays in its sums.
    """
    kept, given = halves
    bare = replace(state, place=given, stuck=0, parked=(), window=(0, 0), tally=Tally())
    is_shared = state.is_shared or is_first
    return replace(state, place=kept, is_shared=is_shared, window=(0, 0)), gathered(bare, (other,))


def gathered(state: State, lanes: Iterable[State]) -> State:
    """The first lane's state with what the others have done, found and parked."""
    for lane in lanes:
        state = replace(
            state,
            stuck=state.stuck + lane.stuck,
            parked=state.parked + lane.parked,
            tally=state.tally.plus(lane.tally),
        )
    return replace(state, is_shared=False)


def resumed(lane: State, plan: Plan) -> State:
    """By another run; as in the first lane, parked rows of what may be swept again are looked for anew."""
    lane = replace(lane, tries=0, is_one_by_one=False)
    return replace(lane, stuck=0, parked=()) if plan.is_guarded else lane
