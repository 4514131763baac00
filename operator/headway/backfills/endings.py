"""How a backfill ends once its table was swept: leftovers, or another sweep, until none is left that can be
helped. Pure.

Writers move rows past the place of a sweep, along blocks and keys, and to other partitions. A round finds
what is left in one snapshot and updates it where it lies. Rows that had changed since the look are missed; a
round that missed none is complete as of its look, so what the next look finds was written since.
"""

from dataclasses import replace

from headway.backfills.orders import Left, Outcome, Parked, Rest
from headway.backfills.state import State

MOST_SWEEPS = 10
FEWEST_SWEEPS = 3
"""After so many, a remainder that does not halve any more is that of writers, who go on."""
MOST_LEFTOVERS = 10_000
"""Rows that are left after a sweep and are updated where they lie; more are swept again."""
FEWEST_ROUNDS = 3
MOST_ROUNDS = 20
"""Of leftovers: after the first number, a round that missed nothing is the last one, come what may."""


def looked(state: State, found: Left) -> State:
    """What is left is updated where it lies, or swept again; unless none of it can be helped."""
    hopeless = state.stuck + len(state.parked)
    is_tried = state.sweep > 0 or state.rounds > 0
    over = replace(state, remaining=found.left, is_settled=True)
    if found.chosen == 0 or (is_tried and found.chosen <= hopeless):
        return over
    if _goes_on_for_ever(state, found):
        return replace(over, arriving=max(0, found.chosen - hopeless))
    if found.rows:
        return replace(state, leftovers=found.rows, missed=0, stuck=0, parked=())
    return replace(state, done=(), sweep=state.sweep + 1, left=found.chosen, stuck=0, parked=())


def _goes_on_for_ever(state: State, found: Left) -> bool:
    if found.rows:
        return (state.rounds >= FEWEST_ROUNDS and state.missed == 0) or state.rounds >= MOST_ROUNDS
    shrinks = state.left < 0 or found.chosen * 2 <= state.left
    return state.sweep >= MOST_SWEEPS or (state.sweep >= FEWEST_SWEEPS and not shrinks)


def next_rest(state: State) -> Rest:
    """The first leftovers, of one leaf, as many as a batch takes."""
    leaf = state.leftovers[0].leaf
    some = state.leftovers[: state.size.rows]
    return Rest(leaf, tuple(one.row for one in some if one.leaf == leaf), state.is_one_by_one)


def rested(state: State, rest: Rest, outcome: Outcome) -> State:
    """Leftovers were updated; the last of them end the round."""
    leftovers = state.leftovers[len(rest.rows) :]
    return replace(
        state,
        leftovers=leftovers,
        rounds=state.rounds + (not leftovers),
        missed=state.missed + len(rest.rows) - outcome.updated - len(outcome.parked),
        stuck=state.stuck + outcome.stuck,
        parked=state.parked + outcome.parked,
        tries=0,
        is_one_by_one=False,
        tally=replace(state.tally, rows=state.tally.rows + outcome.updated),
    )


def searched(state: State) -> State:
    """A look has failed on the data of a row that it cannot tell: a sweep of the table parks it by its key."""
    return replace(state, done=(), sweep=state.sweep + 1, stuck=0, is_searched=True)


def retried(state: State, tried: "tuple[Parked, ...]", outcome: Outcome) -> State:
    """The first parked rows were tried once more: what is left of them goes to the end."""
    return replace(
        state,
        parked=state.parked[len(tried) :] + outcome.parked,
        retried=state.retried + len(outcome.parked),
        tally=replace(state.tally, rows=state.tally.rows + outcome.updated),
    )
