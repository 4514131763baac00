"""Writers of two tables wait while all rows are compared (33)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddConstraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def foreign_key_is_validated_at_once(revision: Revision) -> Iterator[Finding]:
    """ADD FOREIGN KEY without NOT VALID on a table that is in use.

    All rows are compared under SHARE ROW EXCLUSIVE locks on both tables: whoever writes to either of them waits. With
    NOT VALID only new rows are compared, and VALIDATE CONSTRAINT later lets everybody write.

    Anti-pattern::

        op.create_foreign_key("orders_user", "orders", "users", ["user_id"], ["id"])

    Best practice::

        headway.add_foreign_key_online("orders_user", "orders", "users", ["user_id"], ["id"])
    """
    for found in revision.of(AddConstraint):
        table, constraint = found.change.table, found.change.constraint
        other = constraint.references
        if (
            constraint.kind == "foreign key"
            and not constraint.not_valid
            and not revision.is_harmless(table, found)
        ):
            yield revision.finding(
                found,
                f"A foreign key from {table}{revision.size_text(table)} to {other} is added and validated at once.",
                f"Whoever writes to {table} or {other} waits until all rows are compared.",
                f"Use `headway.add_foreign_key_online({constraint.name!r}, {table!r}, {other!r}, …)`.",
            )
