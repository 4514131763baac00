"""A type that people regret (46)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn, Column, CreateTable
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding

REGRETTED = {
    "json": "`jsonb`: json has no equality, so DISTINCT and GROUP BY fail",
    "bpchar": "`text` with a CHECK: char(n) pads with blanks",
    "timestamp": "`timestamptz`: timestamp does not know which moment it is",
    "money": "`numeric`: money depends on the server's locale",
    "serial": "an identity column, `bigint`",
}


def type_is_seldom_what_is_meant(revision: Revision) -> Iterator[Finding]:
    """A new column is of type json, char(n), timestamp without a zone, money or serial, or a key is an integer.

    A type is quick to choose and slow to change: that takes a new column and a backfill. An integer key is used up
    after two thousand million rows.

    Anti-pattern::

        op.add_column("users", sa.Column("seen", sa.DateTime()))

    Best practice::

        op.add_column("users", sa.Column("seen", sa.DateTime(timezone=True)))
    """
    for found in revision.of(AddColumn, CreateTable):
        change = found.change
        columns = (change.column,) if isinstance(change, AddColumn) else change.columns
        for column in columns:
            better = _better(column)
            if better:
                yield revision.finding(
                    found,
                    f"{change.table}.{column.name} is of type {column.type.name}.",
                    "A type is slow to change once the table is large.",
                    f"Consider {better}.",
                )


def _better(column: Column) -> str:
    is_key = any(one.kind == "primary key" for one in column.constraints)
    if is_key and column.type.name in ("int4", "int2"):
        return "`bigint` for the key"
    return REGRETTED.get(column.type.name, "")
