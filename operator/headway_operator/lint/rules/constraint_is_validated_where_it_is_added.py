"""NOT VALID gains nothing (37)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddConstraint, Change, ValidateConstraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def constraint_is_validated_where_it_is_added(revision: Revision) -> Iterator[Finding]:
    """VALIDATE CONSTRAINT in the transaction that has added the constraint.

    The strong lock of ADD CONSTRAINT is held until the transaction ends, so it is held while all rows are read: as if
    NOT VALID were not there.

    Anti-pattern::

        op.execute("ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID")
        op.execute("ALTER TABLE orders VALIDATE CONSTRAINT positive")

    Best practice::

        headway.add_check_online("positive", "orders", "amount > 0")
    """
    added: set[tuple[str, str]] = set()
    for found in revision.of(Change):
        change = found.change
        if found.step.statement.autocommit:
            added.clear()
        elif isinstance(change, AddConstraint):
            added.add((change.table, change.constraint.name))
        elif (
            isinstance(change, ValidateConstraint)
            and (change.table, change.name) in added
            and not revision.is_harmless(change.table, found)
        ):
            yield revision.finding(
                found,
                f"{change.name} of {change.table} is validated in the transaction that has added it.",
                "The strong lock of ADD CONSTRAINT is held while all rows are read.",
                "Validate in the next revision, or use the operation of `headway` that does both.",
            )
