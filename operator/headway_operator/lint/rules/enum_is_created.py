"""A set of values that is hard to change (20)."""

from collections.abc import Iterator

from headway_operator.lint.changes import CreateEnum
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def enum_is_created(revision: Revision) -> Iterator[Finding]:
    """CREATE TYPE … AS ENUM.

    Values can be added, but not taken away or put in another order: that takes a new type and a rewrite of each table
    that has it.

    Anti-pattern::

        op.add_column("orders", sa.Column("state", sa.Enum("new", "paid", name="state")))

    Best practice::

        op.create_table("states", sa.Column("name", sa.Text(), primary_key=True))
        op.add_column("orders", sa.Column("state", sa.Text()))  # with a foreign key, or a CHECK
    """
    for found in revision.of(CreateEnum):
        yield revision.finding(
            found,
            f"The enum type {found.change.name} is created.",
            "Its values can never be taken away or put in another order.",
            "A table of values with a foreign key, or a text column with a CHECK, can be changed later.",
        )
