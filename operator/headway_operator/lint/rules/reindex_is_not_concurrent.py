"""Everybody waits while indexes are built anew (23)."""

from collections.abc import Iterator

from headway_operator.lint.changes import Reindex
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def reindex_is_not_concurrent(revision: Revision) -> Iterator[Finding]:
    """REINDEX without CONCURRENTLY.

    Nobody can write to the table, or use the index for reading, until it is built. CONCURRENTLY exists since
    PostgreSQL 12.

    Anti-pattern::

        op.execute("REINDEX TABLE users")

    Best practice::

        with op.get_context().autocommit_block():
            op.execute("REINDEX TABLE CONCURRENTLY users")
    """
    for found in revision.of(Reindex):
        change = found.change
        if not change.concurrently and not (change.table and revision.is_harmless(change.table, found)):
            yield revision.finding(
                found,
                f"REINDEX of {change.name or 'everything'} runs without CONCURRENTLY.",
                "Nobody can write to the table until its indexes are built, and queries on them wait.",
                "`REINDEX … CONCURRENTLY` within `with op.get_context().autocommit_block():`.",
            )
