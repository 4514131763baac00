"""Old and new code need different names of a table at the same time (17)."""

from collections.abc import Iterator

from headway_operator.lint.changes import RenameTable
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def table_is_renamed(revision: Revision) -> Iterator[Finding]:
    """RENAME of a table that the application uses.

    While a release is rolled out, old and new code run side by side. One of them does not find its table. A view with
    the old name, made in the same transaction, serves both: PostgreSQL writes through simple views.

    Anti-pattern::

        op.rename_table("users", "people")

    Best practice::

        op.rename_table("users", "people")
        op.execute("CREATE VIEW users AS SELECT * FROM people")
        # and drop the view in a revision with post_deploy = True
    """
    for found in revision.of(RenameTable):
        table, to = found.change.table, found.change.to
        if not revision.is_new(table, found) and not revision.has_view(table):
            yield revision.finding(
                found,
                f"{table} is renamed to {to}.",
                "Code that knows only the old name fails until the new one is rolled out everywhere.",
                f"Make a view with the old name in the same revision: `CREATE VIEW {table} AS SELECT * FROM {to}`.",
            )
