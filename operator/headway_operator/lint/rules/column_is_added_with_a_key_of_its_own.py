"""A new column brings an index, which is built while everybody waits (6, 7)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def column_is_added_with_a_key_of_its_own(revision: Revision) -> Iterator[Finding]:
    """ADD COLUMN … UNIQUE or PRIMARY KEY.

    The index behind it is built under the ACCESS EXCLUSIVE lock of the ALTER TABLE.

    Anti-pattern::

        op.execute("ALTER TABLE users ADD COLUMN token text UNIQUE")

    Best practice::

        op.add_column("users", sa.Column("token", sa.Text()))
        # in the next revision
        headway.create_index_concurrently("users_token_key", "users", ["token"], unique=True)
        op.execute("ALTER TABLE users ADD CONSTRAINT users_token_key UNIQUE USING INDEX users_token_key")
    """
    for found in revision.of(AddColumn):
        table, column = found.change.table, found.change.column
        kinds = [one.kind for one in column.constraints if one.kind in ("unique", "primary key")]
        if kinds and not revision.is_harmless(table, found):
            yield revision.finding(
                found,
                f"{table}.{column.name} is added with a {kinds[0]} constraint behind it.",
                f"Nobody can read or write {table} until its index is built.",
                "Add the column alone, build the unique index with `headway.create_index_concurrently(…)`, then "
                "add the constraint `USING INDEX`.",
            )
