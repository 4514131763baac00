"""What the core of a backfill orders, and what it is told of it. Plain values."""

from dataclasses import dataclass

from headway.backfills.places import Key, Piece
from headway.backfills.sizes import USUAL_ROW_BYTES


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
    row_bytes: float = USUAL_ROW_BYTES
    toast_bytes: float = 0.0
    """Of a row in TOAST, if it may have to be written anew."""

    @property
    def identity(self) -> str:
        """In the checkpoint; on PostgreSQL a table keeps its place under another name and in another schema."""
        return str(self.oid) if self.oid else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Plan:
    """What stays as it is for the whole run."""

    leaves: tuple[Leaf, ...]
    """In the order in which they are swept."""
    is_striped: bool
    stripes: int
    """1: blocks in order, no stripes."""
    must_clear: bool
    """A row that is still chosen after its update is an error."""
    is_guarded: bool
    """A row that was updated is not chosen again, so sweeps may be repeated until nothing is left."""
    needs_hot: bool = True
    """Stripes are left for a while where updates do not leave the indexes alone."""


@dataclass(frozen=True)
class Parked:
    """A row that could not be updated."""

    leaf: str
    """Its identity."""
    key: Key
    sqlstate: str


@dataclass(frozen=True)
class Leftover:
    """A row that sweeps have left, by its identifier."""

    leaf: Leaf
    row: str


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
    shows_stuck: bool
    """Tell which rows are still chosen after their update."""


@dataclass(frozen=True)
class Look:
    """Count in one snapshot what is left of the table, all its leaves together."""


@dataclass(frozen=True)
class Rest:
    """Update rows that a look has found, and write the state down in the same transaction."""

    leaf: Leaf
    rows: tuple[str, ...]
    """Row identifiers."""
    is_one_by_one: bool


@dataclass(frozen=True)
class Again:
    """Try parked rows once more, by their keys, and write the state down in the same transaction."""

    parked: tuple[Parked, ...]


@dataclass(frozen=True)
class Gather:
    """Shares of this leaf are in other lanes: help with them, and then make one state of all."""

    is_given_up: bool = False
    """Without working on them: the leaf is swept anew, or is gone."""


@dataclass(frozen=True)
class Finish:
    """Everything was done."""


Order = Open | Work | Look | Rest | Again | Gather | Finish


@dataclass(frozen=True)
class Outcome:
    """Of a piece that was worked on, before its commit."""

    updated: int
    covered: int
    """Rows that the piece was made for."""
    last: Key = ()
    """Of a piece of keys, its last one."""
    stuck: int = 0
    """Rows that were updated and still are chosen, where that was asked for."""
    parked: tuple[Parked, ...] = ()
    seconds: float = 0.0
    """That its rows took, without what its statements take with no row in them."""


@dataclass(frozen=True)
class Left:
    """What a look has found."""

    chosen: int
    """Rows that would be updated."""
    left: int
    """Rows that meet the caller's condition."""
    rows: tuple[Leftover, ...] = ()
    """The chosen ones leaf by leaf, if they are few."""


@dataclass(frozen=True)
class Meter:
    """What the server counted in a transaction."""

    wal_bytes: int = 0
    updates: int = 0
    hot_updates: int = 0
