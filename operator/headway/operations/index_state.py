"""What is to be done for an index, from what the catalog has of it: pure.

Rule: the catalog is looked at again after every step, so it does not matter where an earlier run was interrupted.
"""

import re
from dataclasses import dataclass

_LEFT_BY_REINDEX = r"_cc(new|old)\d*$"


@dataclass(frozen=True)
class Index:
    """An index that exists."""

    oid: int
    name: str
    quoted: str
    """With its schema, as a statement takes it."""
    table_oid: int
    table: str
    is_valid: bool
    definition: str
    """As the server writes it, without the names of index and table."""
    builder: "int | None" = None
    """The server process that is building it at this moment."""
    parent: "int | None" = None
    """The index of the partitioned table that it is attached to."""
    constraint: str = ""
    """That it belongs to."""
    is_partitioned: bool = False
    """Of a partitioned table: it has no rows of its own."""


@dataclass(frozen=True)
class Build:
    """Build it concurrently."""


@dataclass(frozen=True)
class Drop:
    """Drop what an interrupted build left."""

    index: Index


@dataclass(frozen=True)
class WaitFor:
    """Another session is building it."""

    index: Index


@dataclass(frozen=True)
class Done:
    """It is there, valid, and as wanted."""

    index: Index


@dataclass(frozen=True)
class Refuse:
    """Only a person can decide."""

    reason: str


Step = Build | Drop | WaitFor | Done | Refuse


def next_step(name: str, table_oid: int, indexes: "tuple[Index, ...]", wanted: "str | None") -> Step:
    """``indexes``: those of the table, and one of this name elsewhere in its schema.

    ``wanted``: the definition that the index should have, None when it cannot be told.
    """
    left = re.compile(re.escape(name) + _LEFT_BY_REINDEX)
    leftovers = (one for one in indexes if not one.is_valid and one.builder is None and left.match(one.name))
    for one in leftovers:
        return Drop(one)
    named = next((one for one in indexes if one.name == name), None)
    if named is None:
        return Build()
    if named.table_oid != table_oid:
        return Refuse(
            f"The name {name} is taken by an index of the table {named.table}. Give this one another name."
        )
    if not named.is_valid:
        return Drop(named) if named.builder is None else WaitFor(named)
    if wanted is None or named.definition == wanted:
        return Done(named)
    return Refuse(
        f"The index {name} is there with another definition. It is: {named.definition}. Wanted: {wanted}. Drop it by "
        "drop_index_concurrently() in an earlier revision, or give this one another name."
    )
