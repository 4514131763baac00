"""Everybody waits while a condition is asked of all rows (36)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddConstraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def check_is_validated_at_once(revision: Revision) -> Iterator[Finding]:
    """ADD CONSTRAINT … CHECK without NOT VALID on a table that is in use.

    All rows are read under an ACCESS EXCLUSIVE lock. With NOT VALID only new rows are asked, and VALIDATE CONSTRAINT
    later lets everybody read and write.

    Anti-pattern::

        op.create_check_constraint("positive", "orders", "amount > 0")

    Best practice::

        headway.add_check_online("positive", "orders", "amount > 0")
    """
    for found in revision.of(AddConstraint):
        table, constraint = found.change.table, found.change.constraint
        if constraint.kind == "check" and not constraint.not_valid and not revision.is_harmless(table, found):
            yield revision.finding(
                found,
                f"A CHECK is added to {table}{revision.size_text(table)} and validated at once.",
                f"Nobody can read or write {table} until all its rows are read.",
                f"Use `headway.add_check_online({constraint.name!r}, {table!r}, …)`.",
            )
