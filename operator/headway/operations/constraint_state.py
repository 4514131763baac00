"""What is to be done for a constraint and for NOT NULL, from what the catalog has: pure.

Rule: the catalog is looked at again after every step, so it does not matter where an earlier run was interrupted.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Constraint:
    """A constraint that exists."""

    name: str
    definition: str
    """As the server writes it, without NOT VALID."""
    is_valid: bool


@dataclass(frozen=True)
class Column:
    """A column that exists."""

    quoted: str
    """Its name as the server writes it."""
    is_not_null: bool
    """What is written from now on is not NULL."""
    unvalidated: str = ""
    """The NOT NULL constraint that is NOT VALID (PostgreSQL 18 and newer): rows from before it may be NULL."""


@dataclass(frozen=True)
class Add:
    """Add it NOT VALID: from now on new rows obey it."""


@dataclass(frozen=True)
class Validate:
    """Look at the rows that were there before."""


@dataclass(frozen=True)
class ValidateNotNull:
    """The same for a NOT NULL constraint that somebody added NOT VALID."""

    name: str


@dataclass(frozen=True)
class SetNotNull:
    """A valid check proves it: the server need not look at the rows."""


@dataclass(frozen=True)
class DropCheck:
    """The check has done its work."""


@dataclass(frozen=True)
class Done:
    """As wanted."""


@dataclass(frozen=True)
class Refuse:
    """Only a person can decide."""

    reason: str


Step = Add | Validate | ValidateNotNull | SetNotNull | DropCheck | Done | Refuse


def next_step(name: str, constraints: "tuple[Constraint, ...]", wanted: "str | None") -> Step:
    """Of a constraint; ``wanted``: the definition that it should have, None when it cannot be told."""
    found = next((one for one in constraints if one.name == name), None)
    if found is None:
        return Add()
    if wanted is not None and found.definition != wanted:
        return Refuse(
            f"The constraint {name} is there with another definition. It is: {found.definition}. Wanted: {wanted}. "
            "Drop it in an earlier revision, or give this one another name."
        )
    return Done() if found.is_valid else Validate()


def next_step_to_not_null(
    name: str, constraints: "tuple[Constraint, ...]", proof: str, column: Column
) -> Step:
    """Of a column; ``name`` is that of our check, ``proof`` its definition, which another check may have too."""
    ours = next((one for one in constraints if one.name == name), None)
    if column.is_not_null:
        if ours is not None:
            return DropCheck()
        return ValidateNotNull(column.unvalidated) if column.unvalidated else Done()
    if any(one.is_valid and (one is ours or one.definition == proof) for one in constraints):
        return SetNotNull()
    return Add() if ours is None else Validate()
