"""What a revision wants of two columns, parsed once: the same for a new name and for a new type."""

from dataclasses import dataclass

from headway.columns.conversions import is_lossless
from headway.columns.copies import RENAME
from headway.sync.column import Column, Table
from headway.sync.names import identifier
from headway.sync.pair import Conversion, Mark, Pair, Side


class CannotChange(Exception):
    """Two columns cannot be kept equal, or one cannot take the other's place yet; this step has changed nothing."""


@dataclass(frozen=True)
class Wanted:
    """What is wanted."""

    kind: str
    """:data:`headway.columns.copies.RENAME` or :data:`headway.columns.copies.TYPE`."""
    old: str
    new: str
    type: str | None = None
    """Of the new column; None: that of the old one."""
    using: str | None = None
    back: str | None = None
    is_one_way: bool = False
    is_lossy: bool = False
    default: str | None = None
    """Of the new column, if the revision names it."""

    @property
    def is_rename(self) -> bool:
        """Both columns have the same type."""
        return self.kind == RENAME

    def mark(self, schema: str, table: str, path: str, default: str | None = None) -> Mark:
        """What the comment on the function keeps of it."""
        name = ".".join(one for one in (schema, table, self.old) if one)
        operation = f"rename {name} to {self.new}" if self.is_rename else f"change the type of {name}"
        return Mark(
            operation, table, self.old, self.new, self.kind, default,
            self.using, self.back, self.is_one_way, self.is_lossy, path,
        )  # fmt: skip


def pair_of(table: Table, mark: Mark, old: Column, new_type: str, new_default: str | None) -> Pair:
    """The pair that a mark describes; types and defaults are those of the catalog."""
    lossless = is_lossless(old.type, new_type) and mark.using is None
    is_same = old.type == new_type and mark.using is None and mark.back is None
    back = Conversion(mark.back, mark.old, is_total=is_same)
    return Pair(
        table.schema,
        table.name,
        mark.operation,
        Side(mark.old, old.type, old.comparable_default),
        Side(mark.new, new_type, new_default),
        Conversion(mark.using, mark.old, is_total=lossless),
        None if mark.is_one_way else back,
        old.is_nullable,
        mark.path,
        old.is_comparable,
        lossless and mark.back is None,
    )


def assignment(mark: Mark) -> str:
    """The SQL that fills the new column."""
    return mark.using or identifier(mark.old)


def unfilled(mark: Mark) -> str:
    """The rows that are yet to be filled: what comes in later the trigger fills."""
    value = identifier(mark.old) if mark.using is None else f"({mark.using})"
    return f"{identifier(mark.new)} IS NULL AND {value} IS NOT NULL"
