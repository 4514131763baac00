"""What a backfill does next: from all that is known to one order, and from what came of it to what is known
then. Pure.

Rule: the state is written down in the transaction of each batch, so whoever reads it goes on exactly there. A
batch that failed has changed nothing: its place stays, and the next try is smaller, so no row is passed over
and none is seen twice by one sweep. A row that cannot be updated is parked by its key and told at the end.
"""

from dataclasses import dataclass, field, replace

from headway.backfills.places import BlockPiece, Blocks, Key, Piece, Place
from headway.backfills.sizes import Limits, Size
from headway.backfills.tally import Tally

TRIES = 10
"""Failures in a row at one place before its rows are tried one by one."""
FEW_ROWS = 64
"""A piece that has bad data in it and is not larger is tried row by row."""
MOST_PARKED = 50
MOST_SWEEPS = 10
FEWEST_SWEEPS = 3
"""After so many, a remainder that does not halve any more is that of writers, who go on."""
MOST_SURVEYS = 3
FEWEST_HOT = 0.2
"""Below that, stripes do not help: an old snapshot keeps the pages from being cleaned, or an index has the
column.
"""
PLAIN_WINDOWS = 20
"""So many windows without stripes, then they are tried again."""


@dataclass(frozen=True)
class Leaf:
    """A table that has rows of its own: the table, or one of its partitions."""

    schema: str
    name: str
    oid: int = 0
    """0 where the database has none."""
    rows: int = 0
    """An estimate."""
    density: float = 1.0
    """Rows in a block."""

    @property
    def identity(self) -> str:
        """Its name in the checkpoint."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Plan:
    """What stays as it is for the whole run."""

    leaves: tuple[Leaf, ...]
    """In the order in which they are worked on."""
    is_striped: bool
    stripes: int
    """1: blocks in order, no stripes."""
    must_clear: bool
    """A row that is still chosen after its update is an error."""
    is_guarded: bool
    """A row that was updated is never chosen again, so sweeps may be repeated until nothing is left."""


@dataclass(frozen=True)
class Parked:
    """A row that could not be updated."""

    leaf: str
    key: Key
    sqlstate: str


@dataclass(frozen=True)
class State:
    """All that must survive a crash."""

    done: tuple[str, ...] = ()
    """Leaves that are complete."""
    leaf: str = ""
    """That is worked on; empty: the next one is to be opened."""
    place: Place | None = None
    """None: the sweep's end is to be read first."""
    filenode: int = 0
    """Of the leaf when its sweep began: after a rewrite, blocks mean nothing any more."""
    sweep: int = 0
    stuck: int = 0
    """Rows of this sweep that were updated and still are chosen."""
    left: int = -1
    """Rows after the last sweep; -1: not looked yet."""
    remaining: int = 0
    """Rows of all leaves that were left for good."""
    arriving: int = 0
    """Of these, rows that writers went on to leave."""
    parked: tuple[Parked, ...] = ()
    is_retried: bool = False
    """Where nothing is swept again, parked rows are tried once more at the end of each run."""
    looks_first: bool = False
    """Leaves were complete once: look what is left before anything is swept."""
    surveys: int = 0
    """Looks at all partitions together that found rows."""
    is_surveyed: bool = False
    """Such a look has said that all is done."""
    size: Size = field(default=Size())
    tries: int = 0
    is_one_by_one: bool = False
    plain_windows: int = 0
    """To go without stripes."""
    window: tuple[int, int] = (0, 0)
    """Updates in this window after its first stripe, and those of them that left the indexes alone."""
    tally: Tally = field(default=Tally())


@dataclass(frozen=True)
class Open:
    """Read where the sweep of a leaf ends."""

    leaf: Leaf


@dataclass(frozen=True)
class Work:
    """Update a piece, and write the state down in the same transaction."""

    leaf: Leaf
    piece: Piece
    is_one_by_one: bool
    must_clear: bool
    """Raise if a row is still chosen after its update."""
    shows_stuck: bool
    """Tell which rows are still chosen after their update."""


@dataclass(frozen=True)
class Look:
    """Count in one snapshot what is left of a leaf."""

    leaf: Leaf


@dataclass(frozen=True)
class Again:
    """Try the parked rows once more, by their keys, and write the state down in the same transaction."""

    parked: tuple[Parked, ...]


@dataclass(frozen=True)
class Survey:
    """Count in one snapshot what is left of all leaves: writers move rows into those that were complete."""


@dataclass(frozen=True)
class Finish:
    """Everything was done."""


Order = Survey | Open | Work | Look | Again | Finish


@dataclass(frozen=True)
class Outcome:
    """Of a piece that was worked on, before its commit."""

    updated: int
    covered: int
    """Rows that the piece was made for; of the last piece of a key, how many it had."""
    last: Key = ()
    """Of a piece of keys, its last one."""
    stuck: int = 0
    parked: tuple[Parked, ...] = ()


@dataclass(frozen=True)
class Meter:
    """What the server counted in the transaction."""

    wal_bytes: int = 0
    updates: int = 0
    hot_updates: int = 0


def following(state: State, plan: Plan) -> tuple[State, Order]:
    """What is to be done now, and the state with the leaf and the window that it needs."""
    leaf = _leaf(state, plan)
    if leaf is None:
        if plan.is_guarded and len(plan.leaves) > 1 and not state.is_surveyed:
            return state, Survey()
        is_tried = plan.is_guarded or state.is_retried or not state.parked
        return state, Finish() if is_tried else Again(state.parked)
    state = replace(state, leaf=leaf.identity)
    if state.place is None:
        return state, Look(leaf) if state.looks_first and state.sweep == 0 else Open(leaf)
    if state.place.is_over:
        return (state, Look(leaf)) if plan.is_guarded else following(_completed(state), plan)
    place = state.place
    if isinstance(place, Blocks):
        place = place.opened(state.size.rows, leaf.density, _stripes(state, plan))
        piece: Piece = place.piece(state.size.rows, leaf.density)
    else:
        piece = place.piece(state.size.rows)
    shows_stuck = plan.is_guarded and (state.sweep > 0 or plan.must_clear)
    work = Work(leaf, piece, state.is_one_by_one, plan.must_clear, shows_stuck)
    return replace(state, place=place), work


def _leaf(state: State, plan: Plan) -> Leaf | None:
    left = [one for one in plan.leaves if one.identity not in state.done]
    return next((one for one in left if one.identity == state.leaf), left[0] if left else None)


def _stripes(state: State, plan: Plan) -> int:
    return 1 if state.sweep > 0 or state.plain_windows > 0 else plan.stripes


def opened(state: State, place: Place, filenode: int) -> State:
    """The sweep's end is known; what an earlier sweep had parked is tried again by this one."""
    parked = tuple(one for one in state.parked if one.leaf != state.leaf)
    return replace(state, place=place, filenode=filenode, stuck=0, parked=parked, tries=0, window=(0, 0))


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
    state: State, work: Work, outcome: Outcome, meter: Meter, seconds: float, limits: Limits
) -> State:
    """The piece was committed: what it cost, with its commit."""
    tally = replace(
        state.tally.with_batch(seconds * 1000.0),
        batches=state.tally.batches + 1,
        wal_bytes=state.tally.wal_bytes + meter.wal_bytes,
        updates=state.tally.updates + meter.updates,
        hot_updates=state.tally.hot_updates + meter.hot_updates,
    )
    size = state.size.after(outcome.covered, seconds, meter.wal_bytes, limits)
    return _watched(replace(state, tally=tally, size=size), work.piece, meter)


def _watched(state: State, piece: Piece, meter: Meter) -> State:
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
    """The piece was rolled back. Bad data is searched for, everything else is tried again, smaller each
    time.
    """
    tries = 0 if is_data else state.tries + 1
    alone = (is_data and state.size.rows <= FEW_ROWS) or tries >= TRIES
    size = state.size.divided(divisor)
    rows = min(size.rows, FEW_ROWS) if alone else size.rows
    return replace(state, size=replace(size, rows=rows), tries=tries, is_one_by_one=alone)


def rewritten(state: State) -> State:
    """The leaf has other blocks now: its sweep starts again. Rows that were done are not chosen any more."""
    return replace(state, place=None, window=(0, 0))


def looked(state: State, chosen: int, left: int) -> State:
    """So many rows of the leaf would be updated by a further sweep, and so many meet the caller's condition.

    It is swept once more, unless none of them can be helped, or writers leave as many again.
    """
    hopeless = state.stuck + sum(one.leaf == state.leaf for one in state.parked)
    over = replace(state, remaining=state.remaining + left)
    if chosen == 0 or (state.sweep > 0 and chosen <= hopeless):
        return _completed(over)
    shrinks = state.left < 0 or chosen * 2 <= state.left
    if state.sweep >= MOST_SWEEPS or (state.sweep >= FEWEST_SWEEPS and not shrinks):
        return _completed(replace(over, arriving=state.arriving + max(0, chosen - hopeless)))
    return replace(state, place=None, sweep=state.sweep + 1, left=chosen)


def surveyed(state: State, chosen: int, left: int) -> State:
    """So many rows of all leaves together would be updated by a further sweep, and so many are left.

    Each leaf is looked at once more, unless that was done for these rows, or writers go on to move some.
    """
    over = replace(state, is_surveyed=True, remaining=left, arriving=min(state.arriving, chosen))
    if chosen == 0 or (state.surveys > 0 and chosen <= state.remaining - state.arriving):
        return over
    if state.surveys >= MOST_SURVEYS:
        return replace(over, arriving=chosen)
    return replace(
        state, done=(), looks_first=True, surveys=state.surveys + 1, parked=(), remaining=0, arriving=0
    )


def _completed(state: State) -> State:
    return replace(
        state, done=(*state.done, state.leaf), leaf="", place=None, sweep=0, stuck=0, left=-1, plain_windows=0
    )


def retried(state: State, outcome: Outcome) -> State:
    """Parked rows were tried once more: these are what is left of them."""
    tally = replace(state.tally, rows=state.tally.rows + outcome.updated)
    return replace(state, parked=outcome.parked, is_retried=True, tally=tally)


def resumed(state: State, plan: Plan, was_complete: bool) -> State:
    """By another run. What was complete, or has parked rows, is looked at again where that does no harm.

    A sweep that an earlier run began is not the last one: rows that came since are not those of writers who go on.
    """
    state = replace(state, tries=0, is_one_by_one=False, is_retried=False)
    if not plan.is_guarded:
        return state
    state = replace(state, sweep=min(state.sweep, 1), left=-1, surveys=0, is_surveyed=False)
    again = {one.leaf for one in state.parked}
    done = () if was_complete else tuple(one for one in state.done if one not in again)
    if done == state.done or state.leaf:
        return state
    return replace(state, done=done, looks_first=True, parked=(), remaining=0, arriving=0)


def fraction(state: State, plan: Plan) -> float:
    """Of 0 to 1, over all leaves by their rows; sweeps after the first count as done."""
    whole = sum(max(one.rows, 1) for one in plan.leaves)
    done = sum(max(one.rows, 1) * _fraction_of(one, state) for one in plan.leaves)
    return done / whole if whole else 1.0


def _fraction_of(leaf: Leaf, state: State) -> float:
    if state.surveys or leaf.identity in state.done:
        return 1.0
    if leaf.identity != state.leaf or (state.place is None and state.sweep == 0):
        return 0.0
    return state.place.fraction if state.sweep == 0 and state.place is not None else 1.0
