"""Which index and constraint of the new column stands for which of the old one, and under what name. Pure.

A name is worked out again from that of the original in every step, so nothing has to be remembered between them.
"""

import re
from dataclasses import dataclass

from headway.columns.belongings import Belongings, Constraint, Index
from headway.sync.names import bounded, identifier, qualified

RENAME = "rename"
TYPE = "type"
SUFFIX = "__new"
"""Of what has the original's name only when the original is gone."""


@dataclass(frozen=True)
class IndexCopy:
    """An index to be built concurrently."""

    original: Index
    name: str
    final: str
    """Its name when the old column is gone."""

    @property
    def unique(self) -> bool:
        """As whoever builds it asks."""
        return self.original.is_unique

    def statement(
        self, name: str, table: str, schema: str | None, *, concurrently: bool = False, only: bool = False
    ) -> str:
        """``CREATE INDEX`` of this definition on a table."""
        relation = identifier(table) if schema is None else qualified(schema, table)
        words = [
            "CREATE", "UNIQUE" if self.unique else "", "INDEX", "CONCURRENTLY" if concurrently else "",
            identifier(name), "ON", "ONLY" if only else "", relation, self.original.definition,
        ]  # fmt: skip
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class ConstraintCopy:
    """A check or foreign key to be added without a look at the rows, and validated."""

    original: Constraint
    name: str
    final: str


@dataclass(frozen=True)
class Copies:
    """Of everything that is copied."""

    indexes: tuple[IndexCopy, ...] = ()
    constraints: tuple[ConstraintCopy, ...] = ()
    incoming: tuple[ConstraintCopy, ...] = ()


def copies_of(belongings: Belongings, kind: str, old: str, new: str) -> Copies:
    """``kind``: :data:`RENAME` or :data:`TYPE`.

    The copy of a copy, for another column of a key or index, has the same name whichever column was changed first.
    """

    def named(name: str) -> tuple[str, str]:
        renamed = _renamed(name, old, new)
        copy = bounded(name + SUFFIX if renamed == name else renamed)
        return copy, copy if kind == RENAME and renamed != name else name

    return Copies(
        tuple(IndexCopy(one, *named(one.name)) for one in belongings.indexes),
        tuple(ConstraintCopy(one, *named(one.name)) for one in belongings.constraints),
        # The names of other tables' constraints say nothing of our column.
        tuple(ConstraintCopy(one, bounded(one.name + SUFFIX), one.name) for one in belongings.incoming),
    )


def _renamed(name: str, old: str, new: str) -> str:
    """``ix_users_name`` becomes ``ix_users_full_name``: the last word that is the column's."""
    found = list(re.finditer(rf"(?<![^\W_]){re.escape(old)}(?![^\W_])", name))
    if not found:
        return name
    return name[: found[-1].start()] + new + name[found[-1].end() :]
