"""Each delete of a referenced row reads a whole table (35)."""

from collections.abc import Iterator

from headway_operator.lint.built import built_indexes
from headway_operator.lint.changes import Constraint, CreateTable
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def foreign_key_has_no_index(revision: Revision) -> Iterator[Finding]:
    """A new table refers to another one by columns that no index begins with.

    PostgreSQL makes no index for a foreign key. Each DELETE of a row that is referred to, and each change of its key,
    reads all of the new table.

    Anti-pattern::

        op.create_table("orders", sa.Column("user_id", sa.ForeignKey("users.id")))

    Best practice::

        op.create_table("orders", sa.Column("user_id", sa.ForeignKey("users.id"), index=True))
    """
    for found in revision.of(CreateTable):
        table = found.change
        behind = [one for column in table.columns for one in column.constraints]
        constraints = (*table.constraints, *behind)
        keys = [one.columns for one in constraints if one.kind in ("unique", "primary key")]
        keys += [built.columns for built in built_indexes(revision) if built.table == table.table]
        missing = [one for one in constraints if _lacks(one, keys)]
        if missing:
            columns = ", ".join(missing[0].columns)
            yield revision.finding(
                found,
                f"{table.table} refers to {missing[0].references} by {columns}, without an index.",
                f"Each DELETE in {missing[0].references} reads all of {table.table}.",
                f"Build an index on {columns} while the table is empty.",
            )


def _lacks(constraint: Constraint, keys: list[tuple[str, ...]]) -> bool:
    """It is a foreign key whose first column no key begins with."""
    starts = {key[0] for key in keys if key}
    return constraint.kind == "foreign key" and not starts & set(constraint.columns)
