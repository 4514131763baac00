"""Everybody waits while a condition is asked of all rows (36)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn, AddConstraint, Constraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def check_is_validated_at_once(revision: Revision) -> Iterator[Finding]:
    """ADD CONSTRAINT … CHECK without NOT VALID, or ADD COLUMN … CHECK, on a table that is in use.

    All rows are read under an ACCESS EXCLUSIVE lock, also where the column is new and has no value in any. With NOT
    VALID only new rows are asked, and VALIDATE CONSTRAINT later lets everybody read and write; behind a column it
    cannot be said.

    Anti-pattern::

        op.create_check_constraint("positive", "orders", "amount > 0")
        op.add_column("orders", sa.Column("amount", sa.Integer(), sa.CheckConstraint("amount > 0")))

    Best practice::

        op.add_column("orders", sa.Column("amount", sa.Integer()))
        # in the next revision
        headway.add_check_online("positive", "orders", "amount > 0")
    """
    for found in revision.of(AddConstraint, AddColumn):
        table, check = found.change.table, _check_of(found.change)
        if check is not None and not revision.is_harmless(table, found):
            is_behind_a_column = isinstance(found.change, AddColumn)
            use = "Add the column without it, and in the next revision use" if is_behind_a_column else "Use"
            yield revision.finding(
                found,
                f"A CHECK is added to {table}{revision.size_text(table)} and validated at once.",
                f"Nobody can read or write {table} until all its rows are read.",
                f"{use} `headway.add_check_online({check.name or '…'!r}, {table!r}, …)`.",
            )


def _check_of(change: AddConstraint | AddColumn) -> Constraint | None:
    """The first one that all rows are asked for."""
    added = (change.constraint,) if isinstance(change, AddConstraint) else change.column.constraints
    return next((one for one in added if one.kind == "check" and not one.not_valid), None)
