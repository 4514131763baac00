"""Two passes over a table where one would do, or none (10)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AlterType, SetNotNull
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def type_and_not_null_change_together(revision: Revision) -> Iterator[Finding]:
    """A column's type and its NOT NULL change in one revision.

    Both need a pass over all rows under an ACCESS EXCLUSIVE lock; when the second one fails, because a row has no
    value, the first one was for nothing.

    Anti-pattern::

        op.alter_column("users", "age", type_=sa.BigInteger(), nullable=False)

    Best practice::

        headway.change_type_expand("users", "age", sa.BigInteger())
        # in a later revision
        headway.set_not_null_online("users", "age")
    """
    types = {(one.change.table, one.change.column) for one in revision.of(AlterType)}
    for found in revision.of(SetNotNull):
        table, column = found.change.table, found.change.column
        is_change = (table, column) in types and not revision.was_not_null(found)
        if is_change and not revision.is_harmless(table, found):
            yield revision.finding(
                found,
                f"{table}.{column} changes its type and is made NOT NULL in one revision.",
                "Each takes a pass over all rows while nobody can use the table, and one fails for both.",
                "Make them two revisions.",
            )
