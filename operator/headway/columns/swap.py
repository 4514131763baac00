"""The statements of the one short transaction in which the new column takes the old one's place. Pure.

Locks: ACCESS EXCLUSIVE on the table and on those that refer to it, in the order of their names; nothing is rewritten
and no row is read.
"""

from dataclasses import dataclass

from headway.columns.copies import TYPE, ConstraintCopy, Copies, IndexCopy
from headway.columns.identity import Identity
from headway.sync.names import identifier, qualified
from headway.sync.pair import Mark


@dataclass(frozen=True)
class Swap:
    """What is swapped."""

    schema: str
    mark: Mark
    function: str
    """Quoted, with its schema."""
    triggers: tuple[str, ...]
    copies: Copies
    sequence: str | None = None
    """That goes with the old column, quoted."""
    sequence_type: str | None = None
    """What it becomes, if it counts in too small a type."""
    identity: Identity | None = None
    not_null: tuple[str, str] | None = None
    """From PostgreSQL 18 on NOT NULL is a constraint with a name: that on the new column, and that on the old."""

    @property
    def relation(self) -> str:
        """The table, quoted."""
        return qualified(self.schema, self.mark.table)


def locked(swap: Swap) -> tuple[str, ...]:
    """The tables, quoted, in the order in which they are locked."""
    others = {one.original.relation for one in swap.copies.incoming} - {swap.relation}
    return tuple(sorted({swap.relation, *others}))


def statements(swap: Swap) -> tuple[str, ...]:
    """In their order."""
    old, new = identifier(swap.mark.old), identifier(swap.mark.new)
    primary = [one for one in swap.copies.indexes if one.original.is_primary]
    return (
        f"LOCK TABLE {', '.join(locked(swap))} IN ACCESS EXCLUSIVE MODE",
        *trigger_removal(swap.schema, swap.mark.table, swap.triggers),
        *_defaults(swap, new),
        *(_drop(one.original.relation, one.original.name) for one in _keys(swap)),
        *(_drop(swap.relation, one.original.constraint or one.original.name) for one in primary),
        f"ALTER TABLE {swap.relation} DROP COLUMN {old}",
        *(swap.identity.made_anew(swap.relation, swap.mark.new) if swap.identity else ()),
        *(_primary(swap, one) for one in primary),
        *_replica_identity(swap),
        *([f"ALTER TABLE {swap.relation} RENAME COLUMN {new} TO {old}"] if swap.mark.kind == TYPE else []),
        *_renames(swap),
        f"DROP FUNCTION IF EXISTS {swap.function}()",
    )


def undoing(
    schema: str, mark: Mark, function: str, triggers: tuple[str, ...], copies: Copies
) -> tuple[str, ...]:
    """The statements that give up the new column instead, and all that was made for it."""
    relation = qualified(schema, mark.table)
    return (
        *trigger_removal(schema, mark.table, triggers),
        *(_drop(one.original.relation, one.name) for one in copies.incoming),
        f"ALTER TABLE {relation} DROP COLUMN IF EXISTS {identifier(mark.new)}",
        f"DROP FUNCTION IF EXISTS {function}()",
    )


def trigger_removal(schema: str, table: str, triggers: tuple[str, ...]) -> tuple[str, ...]:
    """May be run again."""
    relation = qualified(schema, table)
    return tuple(f"DROP TRIGGER IF EXISTS {identifier(name)} ON {relation}" for name in triggers)


def _defaults(swap: Swap, new: str) -> list[str]:
    found = []
    if swap.sequence and swap.identity is None:
        grown = f" AS {swap.sequence_type}" if swap.sequence_type else ""
        found.append(f"ALTER SEQUENCE {swap.sequence}{grown} OWNED BY {swap.relation}.{new}")
    if swap.mark.default is not None:
        found.append(f"ALTER TABLE {swap.relation} ALTER COLUMN {new} SET DEFAULT {swap.mark.default}")
    return found


def _keys(swap: Swap) -> tuple[ConstraintCopy, ...]:
    """Foreign keys that may need the primary key: those that refer to the column, and own ones to the own table."""
    return (*swap.copies.incoming, *(one for one in swap.copies.constraints if one.original.kind == "f"))


def _drop(relation: str, constraint: str) -> str:
    return f"ALTER TABLE {relation} DROP CONSTRAINT IF EXISTS {identifier(constraint)}"


def deferrable(copy: IndexCopy) -> str:
    """How the constraint on an index is checked, as ADD CONSTRAINT writes it."""
    one = copy.original
    return f"{' DEFERRABLE' if one.is_deferrable else ''}{' INITIALLY DEFERRED' if one.is_deferred else ''}"


def _primary(swap: Swap, copy: IndexCopy) -> str:
    name = copy.original.constraint or copy.original.name
    return (
        f"ALTER TABLE {swap.relation} ADD CONSTRAINT {identifier(name)} "
        f"PRIMARY KEY USING INDEX {identifier(copy.name)}{deferrable(copy)}"
    )


def _replica_identity(swap: Swap) -> list[str]:
    return [
        # The constraint has given its index its own name.
        f"ALTER TABLE {swap.relation} REPLICA IDENTITY USING INDEX "
        f"{identifier((one.original.constraint or one.final) if one.original.is_primary else one.name)}"
        for one in swap.copies.indexes
        if one.original.is_replica_identity
    ]


def _renames(swap: Swap) -> list[str]:
    indexes = [one for one in swap.copies.indexes if not one.original.is_primary and one.name != one.final]
    unique = [one for one in indexes if one.original.constraint_kind == "u"]
    plain = [one for one in indexes if one.original.constraint_kind != "u"]
    own = [one for one in swap.copies.constraints if one.name != one.final]
    not_null = [swap.not_null] if swap.not_null and swap.mark.kind == TYPE else []
    return [
        *(_rename(swap.relation, *names) for names in not_null),
        *(_rename_constraint(swap.relation, one) for one in unique),
        *(
            f"ALTER INDEX {qualified(swap.schema, one.name)} RENAME TO {identifier(one.final)}"
            for one in plain
        ),
        *(_rename_constraint(swap.relation, one) for one in own),
        *(_rename_constraint(one.original.relation, one) for one in swap.copies.incoming),
    ]


def _rename_constraint(relation: str, copy: IndexCopy | ConstraintCopy) -> str:
    return _rename(relation, copy.name, copy.final)


def _rename(relation: str, name: str, final: str) -> str:
    return f"ALTER TABLE {relation} RENAME CONSTRAINT {identifier(name)} TO {identifier(final)}"
