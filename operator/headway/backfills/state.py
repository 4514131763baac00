"""All that a backfill must remember over a crash. Plain values."""

from dataclasses import dataclass, field

from headway.backfills.orders import Leftover, Parked
from headway.backfills.places import Place
from headway.backfills.sizes import Size
from headway.backfills.tally import Tally


@dataclass(frozen=True)
class State:
    """Written down in the transaction of each batch."""

    rows_total: int = 0
    """The first run's estimate; a later one would count what updates have left dead. 0: none was made."""
    sweep: int = 0
    done: tuple[str, ...] = ()
    """Identities of the leaves that this sweep has done."""
    leaf: str = ""
    """That is worked on; empty: the next one is to be opened."""
    place: Place | None = None
    """None: where the sweep of the leaf ends is to be read first."""
    key: tuple[tuple[str, str], ...] = ()
    """Along which places of keys, and parked rows, are told: mark and name of each column; empty: blocks."""
    is_shared: bool = False
    """Other lanes have, or had, shares of this leaf; only the first lane's state says so."""
    filenode: int = 0
    """Of the leaf when its sweep began: after a rewrite, blocks mean nothing any more."""
    stuck: int = 0
    """Rows of this sweep or round that were updated and still are chosen."""
    left: int = -1
    """Rows after the last sweep; -1: not looked yet."""
    rounds: int = 0
    """Of leftovers, after the sweeps."""
    leftovers: tuple[Leftover, ...] = ()
    """Rows of this round that are still to be updated; not written down, for a crash makes them old."""
    missed: int = 0
    """Rows of this round that had changed since the look."""
    is_settled: bool = False
    """Nothing more is to be swept or looked for."""
    remaining: int = 0
    """Rows that meet the caller's condition at the end."""
    arriving: int = 0
    """Of these, rows that writers go on to leave."""
    parked: tuple[Parked, ...] = ()
    is_searched: bool = False
    """A look has failed on a row's data in this run, and the table is swept again so that the row is found."""
    retried: int = 0
    """The last so many of the parked rows: where nothing is swept again, they were tried once more in this run."""
    size: Size = field(default=Size())
    tries: int = 0
    """Failures in a row at this place."""
    is_one_by_one: bool = False
    plain_windows: int = 0
    """To go without stripes."""
    window: tuple[int, int] = (0, 0)
    """Updates in this window after its first stripe, and those of them that left the indexes alone."""
    tally: Tally = field(default=Tally())
