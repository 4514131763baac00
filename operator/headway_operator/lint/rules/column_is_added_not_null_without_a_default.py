"""A new column that no row, and no running code, has a value for (1)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def column_is_added_not_null_without_a_default(revision: Revision) -> Iterator[Finding]:
    """ADD COLUMN … NOT NULL without a default.

    On a table that has rows it fails. On one that is empty it works, and from then on every INSERT of the running
    application fails, because that does not know the column.

    Anti-pattern::

        op.add_column("users", sa.Column("status", sa.String(), nullable=False))

    Best practice::

        op.add_column("users", sa.Column("status", sa.String(), nullable=False, server_default="new"))
    """
    for found in revision.of(AddColumn):
        table, column = found.change.table, found.change.column
        filled_by_itself = column.generated or column.is_identity or column.type.name.endswith("serial")
        if (
            column.not_null
            and column.default is None
            and not filled_by_itself
            and not revision.is_new(table, found)
        ):
            yield revision.finding(
                found,
                f"{table}.{column.name} is added as NOT NULL without a default.",
                "It fails if there are rows, and each INSERT of the running application fails afterwards.",
                "Give it a constant `server_default`, or use `headway.add_column_with_backfill(…)`.",
            )
