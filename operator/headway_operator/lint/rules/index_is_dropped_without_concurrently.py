"""Everybody waits behind a statement that waits for a lock (22)."""

from collections.abc import Iterator

from headway_operator.lint.changes import DropIndex
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def index_is_dropped_without_concurrently(revision: Revision) -> Iterator[Finding]:
    """DROP INDEX without CONCURRENTLY.

    It is quick once it has its ACCESS EXCLUSIVE lock on the table, but it waits for every query that runs, and all
    new ones wait behind it. Under Headway it gives up after ``locks.timeoutSeconds`` and tries again.

    Anti-pattern::

        op.drop_index("idx_users_email", "users")

    Best practice::

        headway.drop_index_concurrently("idx_users_email", "users")
    """
    for found in revision.of(DropIndex):
        index, table = found.change, revision.table_of_index(found)
        if not index.concurrently and not (table and revision.is_harmless(table, found)):
            yield revision.finding(
                found,
                f"The index {index.name} is dropped without CONCURRENTLY.",
                f"It waits for every query on {table or 'its table'}, and new queries wait behind it.",
                f"Use `headway.drop_index_concurrently({index.name!r}, {table or '…'!r})`.",
            )
