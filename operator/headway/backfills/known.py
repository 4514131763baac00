"""All that a choice of strategy may look at: what is asked for and what the catalog says. Plain values."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from headway.backfills.orders import Leaf
from headway.backfills.sizes import USUAL_ROW_BYTES


class NoSuchTable(Exception):
    """There is no such table for this role and search path, or it is a view; the text says what to do."""


class NoSuchColumn(Exception):
    """The table has no such column; the text says which, and what to do."""


class NoSuchKey(Exception):
    """The table has no unique key without NULL on the columns that were given as one."""


class NotPossible(Exception):
    """There is no safe way through the table; the text says why, and what would open one."""


@dataclass(frozen=True)
class Column:
    """A column by its name as the catalog has it, with the type as SQL writes it."""

    name: str
    type: str = ""
    mark: str = ""
    """Of a key's column: which one it is, and what its order depends on. Another column in its place has another
    one.
    """


@dataclass(frozen=True)
class Asked:
    """What the revision asks for; the SQL in it has its colons escaped."""

    table: str
    schema: str | None
    assignments: tuple[tuple[str, str], ...]
    """Column and expression."""
    where: str = ""
    strategy: str = "auto"
    key: tuple[str, ...] = ()
    exactly_once: bool | None = None
    synced: bool = False
    batch_rows: int | None = None
    analyze: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are set."""
        return tuple(column for column, _ in self.assignments)


def names_a_target(asked: Asked, generated: "tuple[str, ...]" = ()) -> bool:
    """By the text, where no catalog tells: an expression that names a column which is set may read it; so may one
    that names a column which is made from such a one.
    """
    return any(names_one_of((*asked.columns, *generated), sql) for _, sql in asked.assignments)


def names_one_of(columns: "tuple[str, ...]", sql: str) -> bool:
    """As a word."""
    names = "|".join(re.escape(name) for name in columns)
    return re.search(rf"(?i)(?<!\w)(?:{names})(?!\w)", sql) is not None


@dataclass(frozen=True)
class Tried:
    """A trial on a few rows that was taken back: how many of them the condition still chose after the
    update.
    """

    rows: int
    left: int

    @property
    def clears(self) -> bool:
        """It was seen to choose no updated row again."""
        return self.rows > 0 and self.left == 0


@dataclass(frozen=True)
class Known:
    """Of the database. What could not be found out has the value that allows least."""

    dialect: str
    schema: str
    table: str
    leaves: tuple[Leaf, ...]
    targets: tuple[Column, ...]
    key: tuple[Column, ...] = ()
    """A unique key without NULL; empty: none."""
    key_name: str = ""
    keys: tuple[tuple[str, tuple[Column, ...]], ...] = ()
    """All such keys, with what they are called."""
    no_blocks: str = "only PostgreSQL has blocks to sweep along"
    """Why blocks are no way to go through the table, without a full stop; empty: they are."""
    generated: tuple[str, ...] = ()
    """Columns that the database makes from those that are set: they change with them."""
    indexes: tuple[str, ...] = ()
    """That have a target column."""
    partition_keys: tuple[str, ...] = ()
    reads_target: bool = True
    """An expression reads a column that is set."""
    volatility: str = "volatile"
    """The worst of all functions in the expressions: immutable, stable or volatile."""
    where_reads_target: bool = False
    is_comparable: bool = False
    """Each target has an ``IS DISTINCT FROM``."""
    old_snapshot: str = ""
    """Who keeps pages from being cleaned, without a full stop."""
    scattered: str = ""
    """An index in which the entries of a block's rows lie far apart, such as that of a random key."""
    filled: float = 1.0
    """Of 0 to 1: the share of the blocks that rows take, by the widths that ANALYZE has seen; 1.0: not known."""
    tried: Tried | None = None
    oid: int = 0
    signature: str = ""
    """Of the columns as they are: a column that was dropped and added again has another one."""

    @property
    def density(self) -> float:
        """Rows in a block, over all leaves."""
        rows = sum(one.rows for one in self.leaves)
        return max((one.density for one in self.leaves), default=1.0) if rows else 1.0

    @property
    def row_bytes(self) -> float:
        """On average over all leaves."""
        return self._mean(lambda leaf: leaf.row_bytes) or USUAL_ROW_BYTES

    def _mean(self, width: "Callable[[Leaf], float]") -> float:
        rows = sum(one.rows for one in self.leaves)
        return sum(one.rows * width(one) for one in self.leaves) / rows if rows else 0.0

    @property
    def toast_bytes(self) -> float:
        """On average over all leaves."""
        return self._mean(lambda leaf: leaf.toast_bytes)
