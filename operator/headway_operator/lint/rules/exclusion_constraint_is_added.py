"""No exclusion constraint can be added while a table is in use (32)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddConstraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def exclusion_constraint_is_added(revision: Revision) -> Iterator[Finding]:
    """ADD CONSTRAINT … EXCLUDE on a table that is in use.

    Its index is built under an ACCESS EXCLUSIVE lock, and there is no way to build it before.

    Anti-pattern::

        op.execute("ALTER TABLE bookings ADD CONSTRAINT once EXCLUDE USING gist (room WITH =, during WITH &&)")

    Best practice::

        # a new table with the constraint, a trigger that keeps it up, then the rows in batches, then change the names
    """
    for found in revision.of(AddConstraint):
        table, constraint = found.change.table, found.change.constraint
        if constraint.kind == "exclude" and not revision.is_harmless(table, found):
            yield revision.finding(
                found,
                f"An exclusion constraint is added to {table}{revision.size_text(table)}.",
                f"Nobody can read or write {table} until its index is built.",
                "Make a new table with the constraint and move the rows there in batches.",
            )
