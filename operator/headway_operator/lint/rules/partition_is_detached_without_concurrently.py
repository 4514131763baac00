"""Everybody waits for a partition to go (44)."""

from collections.abc import Iterator

from headway_operator.lint.changes import DetachPartition
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def partition_is_detached_without_concurrently(revision: Revision) -> Iterator[Finding]:
    """DETACH PARTITION without CONCURRENTLY.

    It needs an ACCESS EXCLUSIVE lock on the partitioned table: it waits for all queries on all partitions, and new
    ones wait behind it. CONCURRENTLY exists since PostgreSQL 14.

    Anti-pattern::

        op.execute("ALTER TABLE events DETACH PARTITION events_2020")

    Best practice::

        with op.get_context().autocommit_block():
            op.execute("ALTER TABLE events DETACH PARTITION events_2020 CONCURRENTLY")
    """
    for found in revision.of(DetachPartition):
        if not found.change.concurrently and not revision.is_harmless(found.change.table, found):
            yield revision.finding(
                found,
                f"{found.change.partition} is detached from {found.change.table} without CONCURRENTLY.",
                f"It waits for all queries on {found.change.table}, and new ones wait behind it.",
                "`DETACH PARTITION … CONCURRENTLY` within `with op.get_context().autocommit_block():`.",
            )
