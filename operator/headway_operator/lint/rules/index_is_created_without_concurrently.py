"""Writes wait while an index is built (21)."""

from collections.abc import Iterator

from headway_operator.lint.changes import CreateIndex
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def index_is_created_without_concurrently(revision: Revision) -> Iterator[Finding]:
    """CREATE INDEX without CONCURRENTLY on a table that is in use.

    It takes a SHARE lock for as long as it builds: whoever writes to the table waits.

    Anti-pattern::

        op.create_index("idx_users_email", "users", ["email"])

    Best practice::

        headway.create_index_concurrently("idx_users_email", "users", ["email"])
    """
    for found in revision.of(CreateIndex):
        index = found.change
        if not index.concurrently and not index.only and not revision.is_harmless(index.table, found):
            yield revision.finding(
                found,
                f"The index {index.name} on {index.table}{revision.size_text(index.table)} "
                "is built without CONCURRENTLY.",
                f"Whoever writes to {index.table} waits until it is built.",
                f"Use `headway.create_index_concurrently({index.name!r}, {index.table!r}, …)`, or "
                "`postgresql_concurrently=True` within `with op.get_context().autocommit_block():`.",
            )
