"""Everybody waits while the index behind a constraint is built (29)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddConstraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def unique_constraint_is_added_directly(revision: Revision) -> Iterator[Finding]:
    """ADD CONSTRAINT … UNIQUE on a table that is in use.

    Its index is built under an ACCESS EXCLUSIVE lock: nobody can read or write the table meanwhile. Built
    CONCURRENTLY before, it is only taken over.

    Anti-pattern::

        op.create_unique_constraint("users_email_key", "users", ["email"])

    Best practice::

        headway.create_index_concurrently("users_email_key", "users", ["email"], unique=True)
        # in the next revision
        op.execute("ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key")
    """
    for found in revision.of(AddConstraint):
        table, constraint = found.change.table, found.change.constraint
        if (
            constraint.kind == "unique"
            and not constraint.using_index
            and not revision.is_harmless(table, found)
        ):
            yield revision.finding(
                found,
                f"A unique constraint is added to {table}{revision.size_text(table)} without an index before.",
                f"Nobody can read or write {table} until its index is built.",
                "Build the unique index with `headway.create_index_concurrently(…)`, then add it `USING INDEX`.",
            )
