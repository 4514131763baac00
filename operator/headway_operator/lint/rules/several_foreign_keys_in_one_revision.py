"""Locks on many tables are held together (34)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddConstraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def several_foreign_keys_in_one_revision(revision: Revision) -> Iterator[Finding]:
    """More than one foreign key is added to tables in use in one transaction.

    Each takes locks on two tables, and all are held until the end: the more tables, the more requests wait, and the
    more easily two transactions wait for each other.

    Anti-pattern::

        op.create_foreign_key("orders_user", "orders", "users", ["user_id"], ["id"])
        op.create_foreign_key("orders_shop", "orders", "shops", ["shop_id"], ["id"])

    Best practice::

        # a revision for each
        headway.add_foreign_key_online("orders_user", "orders", "users", ["user_id"], ["id"])
    """
    added = [
        found
        for found in revision.of(AddConstraint)
        if found.change.constraint.kind == "foreign key"
        and not revision.is_harmless(found.change.table, found)
    ]
    for found in [one for one in added if not one.step.statement.autocommit][1:]:
        yield revision.finding(
            found,
            f"Another foreign key, to {found.change.constraint.references}, is added in the same transaction.",
            "The locks on all these tables are held together until its end.",
            "Give each foreign key a revision of its own.",
        )
