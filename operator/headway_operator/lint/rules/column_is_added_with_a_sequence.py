"""A new column is numbered for every row at once (5)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def column_is_added_with_a_sequence(revision: Revision) -> Iterator[Finding]:
    """ADD COLUMN … serial or GENERATED … AS IDENTITY.

    Each row gets a number: the table is written anew, with all its indexes, under an ACCESS EXCLUSIVE lock.

    Anti-pattern::

        op.add_column("users", sa.Column("number", sa.BigInteger(), sa.Identity()))

    Best practice::

        op.execute("CREATE SEQUENCE users_number")
        op.add_column("users", sa.Column("number", sa.BigInteger()))
        op.execute("ALTER TABLE users ALTER COLUMN number SET DEFAULT nextval('users_number')")
        # in the next revision
        headway.backfill("users", {"number": "nextval('users_number')"}, where="number IS NULL")
    """
    for found in revision.of(AddColumn):
        table, column = found.change.table, found.change.column
        numbered = column.is_identity or column.type.name in ("serial", "bigserial", "smallserial")
        if numbered and not revision.is_harmless(table, found):
            yield revision.finding(
                found,
                f"{table}.{column.name} is added with a sequence of its own.",
                f"The table is written anew{revision.size_text(table)}, and nobody can read or write it meanwhile.",
                "Add a plain column, make `nextval(…)` its default, then fill the old rows with `headway.backfill`.",
            )
