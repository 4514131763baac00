"""Everybody waits while the index of a primary key is built (31)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddConstraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def primary_key_is_added_directly(revision: Revision) -> Iterator[Finding]:
    """ADD PRIMARY KEY on a table that is in use.

    Its index is built, and every row is looked at for NULL, under an ACCESS EXCLUSIVE lock. With an index that is
    there already and columns that are NOT NULL it is done at once.

    Anti-pattern::

        op.create_primary_key("users_pkey", "users", ["id"])

    Best practice::

        headway.set_not_null_online("users", "id")
        headway.create_index_concurrently("users_pkey", "users", ["id"], unique=True)
        # in the next revision
        op.execute("ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey")
    """
    for found in revision.of(AddConstraint):
        table, constraint = found.change.table, found.change.constraint
        if (
            constraint.kind == "primary key"
            and not constraint.using_index
            and not revision.is_harmless(table, found)
        ):
            yield revision.finding(
                found,
                f"A primary key is added to {table}{revision.size_text(table)} without an index before.",
                f"Nobody can read or write {table} until its index is built.",
                "Make the columns NOT NULL and build the unique index first, both online, then add it `USING INDEX`.",
            )
