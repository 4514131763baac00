"""A new column locks another table too (8)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def column_is_added_with_a_foreign_key(revision: Revision) -> Iterator[Finding]:
    """ADD COLUMN … REFERENCES.

    One statement needs strong locks on both tables at once, and waits for everybody who uses either of them while new
    requests queue up behind it. With a default, all rows are checked under these locks as well.

    Anti-pattern::

        op.execute("ALTER TABLE orders ADD COLUMN shop_id bigint REFERENCES shops (id)")

    Best practice::

        op.add_column("orders", sa.Column("shop_id", sa.BigInteger()))
        # in the next revision
        headway.add_foreign_key_online("orders_shop", "orders", "shops", ["shop_id"], ["id"])
    """
    for found in revision.of(AddColumn):
        table, column = found.change.table, found.change.column
        other = next((one.references for one in column.constraints if one.kind == "foreign key"), "")
        if other and not revision.is_new(table, found):
            yield revision.finding(
                found,
                f"{table}.{column.name} is added with a foreign key to {other} behind it.",
                f"The statement needs strong locks on {table} and {other} at the same time.",
                "Add the column alone, and the foreign key with `headway.add_foreign_key_online(…)`.",
            )
