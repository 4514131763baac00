"""A table is read through before it becomes a partition (44)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddConstraint, AttachPartition
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def partition_is_attached_without_a_check(revision: Revision) -> Iterator[Finding]:
    """ATTACH PARTITION of a table with rows, without a CHECK that says what the bounds say.

    PostgreSQL reads all of it under an ACCESS EXCLUSIVE lock on the new partition, to see that each row belongs
    there. A valid CHECK spares it that.

    Anti-pattern::

        op.execute("ALTER TABLE events ATTACH PARTITION old FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')")

    Best practice::

        headway.add_check_online("old_bounds", "old", "day >= '2020-01-01' AND day < '2021-01-01'")
        # in the next revision ATTACH PARTITION, then drop the CHECK
    """
    everything = (*revision.earlier, revision)
    checked = {
        found.change.table
        for one in everything
        for found in one.of(AddConstraint)
        if found.change.constraint.kind == "check"
    }
    by_library = any(True for one in everything for _ in one.operations("add_check_online"))
    for found in revision.of(AttachPartition):
        partition = found.change.partition
        if partition not in checked and not by_library and not revision.is_harmless(partition, found):
            yield revision.finding(
                found,
                f"{partition} becomes a partition of {found.change.table} without a CHECK for its bounds.",
                f"All of {partition} is read under a lock that lets nobody in.",
                f"Add a CHECK for the bounds to {partition} first, with `headway.add_check_online(…)`.",
            )
