"""A new column's default makes PostgreSQL write the table anew (2)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.expressions import surely_volatile_in, volatile_in
from headway_operator.lint.findings import Finding, Severity


def column_is_added_with_a_volatile_default(revision: Revision) -> Iterator[Finding]:
    """ADD COLUMN with a default that is worked out for each row.

    A constant, and ``now()``, is kept once for all old rows. ``gen_random_uuid()`` or ``clock_timestamp()`` must be
    worked out row by row: the table is written anew under an ACCESS EXCLUSIVE lock, with all its indexes. A function
    that is not known here is taken for one, as PostgreSQL does unless it is marked otherwise.

    Anti-pattern::

        op.add_column("users", sa.Column("token", sa.UUID(), server_default=sa.text("gen_random_uuid()")))

    Best practice::

        headway.add_column_with_backfill("users", sa.Column("token", sa.UUID()), "gen_random_uuid()")
    """
    for found in revision.of(AddColumn):
        table, column = found.change.table, found.change.column
        function = volatile_in(column.default)
        if function and not revision.is_harmless(table, found):
            yield revision.finding(
                found,
                f"{table}.{column.name} is added with the default {function}(), worked out for each row.",
                f"The table is written anew{revision.size_text(table)}, and nobody can read or write it meanwhile.",
                f"Use `headway.add_column_with_backfill({table!r}, …, {function + '()'!r})`.",
                Severity.ERROR if surely_volatile_in(column.default) else Severity.WARNING,
            )
