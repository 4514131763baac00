"""A new column is worked out for every row at once (4)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def column_is_added_generated_and_stored(revision: Revision) -> Iterator[Finding]:
    """ADD COLUMN … GENERATED ALWAYS AS (…) STORED.

    PostgreSQL works it out for every row and writes the table anew, with all its indexes, under an ACCESS EXCLUSIVE
    lock.

    Anti-pattern::

        op.add_column("users", sa.Column("low", sa.Text(), sa.Computed("lower(email)", persisted=True)))

    Best practice::

        headway.add_column_with_backfill("users", sa.Column("low", sa.Text()), "lower(email)", fill_new_writes=True)
    """
    for found in revision.of(AddColumn):
        table, column = found.change.table, found.change.column
        if column.generated == "stored" and not revision.is_harmless(table, found):
            yield revision.finding(
                found,
                f"{table}.{column.name} is added as a generated column that is stored.",
                f"The table is written anew{revision.size_text(table)}, and nobody can read or write it meanwhile.",
                "Use `headway.add_column_with_backfill(…, fill_new_writes=True)`: a trigger fills it from then on.",
            )
