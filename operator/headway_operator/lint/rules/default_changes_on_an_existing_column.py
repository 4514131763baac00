"""Old code does not see a new default (49)."""

from collections.abc import Iterator

from headway_operator.lint.changes import SetDefault
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def default_changes_on_an_existing_column(revision: Revision) -> Iterator[Finding]:
    """SET DEFAULT or DROP DEFAULT on a column that the application writes.

    Rows that are there keep their value. Code of the last release that names the column in its INSERTs, as models
    with a default of their own do, goes on writing the old one; code that leaves it out gets the new one at once.

    Anti-pattern::

        op.alter_column("orders", "state", server_default="open")  # and code that counts on it in this release

    Best practice::

        op.alter_column("orders", "state", server_default="open")
        # the release after counts on it
    """
    for found in revision.of(SetDefault):
        table, column = found.change.table, found.change.column
        if not revision.is_new(table, found):
            yield revision.finding(
                found,
                f"The default of {table}.{column} {'changes' if found.change.default else 'goes'}.",
                "Old and new code write different values while both run.",
                "Let no code depend on it before the release is rolled out everywhere.",
            )
