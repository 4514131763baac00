"""When two columns cannot be kept equal or one cannot take the other's place: an ordered tuple of rules. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from headway.columns.belongings import Belongings
from headway.sync.column import Column, Table

INTEGERS = frozenset({"smallint", "integer", "bigint"})
TEXTS = ("text", "character varying")
PARTITIONED_TRIGGERS = 130000
"""server_version_num from which on partitioned tables have BEFORE triggers for each row."""


@dataclass(frozen=True)
class Situation:
    """All that a rule may look at."""

    table: Table
    old: Column
    new_type: str
    belongings: Belongings
    server: int
    """server_version_num."""
    is_constrained: bool = False
    """The new column's type is a domain with rules."""
    under_way: tuple[str, ...] = ()
    """Other changes that keep one of the two columns equal with a third."""

    @property
    def name(self) -> str:
        """Of the column, for people."""
        return f"{self.table.schema}.{self.table.name}.{self.old.name}"


def relation_is_no_table(it: Situation) -> str | None:
    """Views and foreign tables have no such triggers."""
    if it.table.kind in ("r", "p"):
        return None
    return f"{it.table.schema}.{it.table.name} is no table, so no trigger can keep its columns equal."


def table_is_a_partition(it: Situation) -> str | None:
    """Its columns are the parent's."""
    if not it.table.is_partition and not it.old.inherited:
        return None
    return f"{it.name} is inherited from another table. Name the parent: its partitions follow."


def another_change_is_under_way(it: Situation) -> str | None:
    """Triggers of two pairs with one column in common would not see each other's writes."""
    if not it.under_way:
        return None
    return (
        f"{it.name} is in another change: {it.under_way[0]}. End that by its contract step or its undo first."
    )


def others_inherit_from_it(it: Situation) -> str | None:
    """Triggers of a table do not fire for the tables that inherit from it, unless they are partitions."""
    if not it.table.has_heirs:
        return None
    return (
        f"Other tables inherit from {it.table.schema}.{it.table.name}, and its triggers would not fire for them. "
        "End the inheritance (ALTER TABLE … NO INHERIT), or make partitions of them."
    )


def type_is_a_domain_with_rules(it: Situation) -> str | None:
    """Adding such a column rewrites the table."""
    if not it.is_constrained:
        return None
    return (
        f"{it.new_type} is a domain with rules, and PostgreSQL would rewrite the table to add a column of it. Change "
        "to its base type by change_type_expand(), with the rules as a check of the table (add_check_online())."
    )


def server_has_no_trigger_for_it(it: Situation) -> str | None:
    """Before PostgreSQL 13."""
    if it.table.kind != "p" or it.server >= PARTITIONED_TRIGGERS:
        return None
    return f"{it.name} is of a partitioned table, and its triggers need PostgreSQL 13 or newer."


def column_is_generated(it: Situation) -> str | None:
    """Nobody writes it."""
    if not it.old.generated:
        return None
    return (
        f"{it.name} is a generated column, which nobody writes: add a generated column of the new name or type "
        "instead, and drop this one when no code reads it."
    )


def not_null_is_not_valid(it: Situation) -> str | None:
    """The new column becomes NOT NULL in the end, and a row from before may be in the way."""
    if not it.old.unvalidated:
        return None
    return (
        f"NOT NULL of {it.name} (the constraint {it.old.unvalidated}) is NOT VALID, so rows from before it may be "
        "NULL, and the new column could not become NOT NULL. Call set_not_null_online() for the column in an earlier "
        "revision: it validates the constraint, or tells which rows are in the way. Or drop it by "
        "drop_not_null_online()."
    )


def column_is_a_partition_key(it: Situation) -> str | None:
    """It decides where a row lies."""
    if not it.old.is_partition_key:
        return None
    return (
        f"{it.name} decides (or may decide) in which partition a row lies, and another column cannot take that over: "
        "fill a new partitioned table and switch over to it."
    )


def column_is_in_an_exclusion(it: Situation) -> str | None:
    """PostgreSQL adds none without a lock."""
    found = [one.name for one in it.belongings.indexes if one.constraint_kind == "x"]
    if not found:
        return None
    return (
        f"{it.name} is in the exclusion constraint {found[0]}, which cannot be copied while the table is in use. "
        "Drop it first if the application can do without it meanwhile, and add it again in the end."
    )


def constraint_cannot_be_copied_to_partitions(it: Situation) -> str | None:
    """Neither USING INDEX nor NOT VALID exists for them."""
    indexes = [one.constraint for one in it.belongings.indexes if one.constraint]
    keys = [one.name for one in it.belongings.constraints if one.kind == "f"]
    away = [one.name for one in it.belongings.incoming if one.is_partitioned]
    found = [*indexes, *keys, *away] if it.table.kind == "p" else away
    if not found:
        return None
    return (
        f"{it.name} is in the constraint {found[0]} of a partitioned table, which PostgreSQL cannot copy without "
        "locking it. Drop it first if the application can do without it meanwhile, and add it again in the end."
    )


def references_would_not_fit(it: Situation) -> str | None:
    """A foreign key compares the columns of both sides."""
    keys = [*it.belongings.incoming, *(one for one in it.belongings.constraints if one.kind == "f")]
    if not keys or is_family(it.old.type, it.new_type):
        return None
    return (
        f"The foreign key {keys[0].name} of {keys[0].schema}.{keys[0].table} compares {it.name} with another column, "
        f"and {it.old.type} and {it.new_type} do not compare with each other. Drop the key, change both columns, and "
        "add it again by add_foreign_key_online()."
    )


def is_family(one: str, other: str) -> bool:
    """Types whose values an index compares with each other."""
    return one == other or {one, other} <= INTEGERS or (one.startswith(TEXTS) and other.startswith(TEXTS))


EXPAND: tuple[Callable[[Situation], str | None], ...] = (
    relation_is_no_table,
    table_is_a_partition,
    another_change_is_under_way,
    others_inherit_from_it,
    type_is_a_domain_with_rules,
    server_has_no_trigger_for_it,
    column_is_generated,
    not_null_is_not_valid,
    column_is_a_partition_key,
    column_is_in_an_exclusion,
    constraint_cannot_be_copied_to_partitions,
    references_would_not_fit,
)


def refusal(it: Situation) -> str | None:
    """What the first rule that answers says; None: nothing is against it."""
    return next((said for rule in EXPAND if (said := rule(it)) is not None), None)
