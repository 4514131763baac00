"""Old and new code need different names at the same time (16)."""

from collections.abc import Iterator

from headway_operator.lint.changes import RenameColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def column_is_renamed(revision: Revision) -> Iterator[Finding]:
    """RENAME COLUMN on a table that the application uses.

    While a release is rolled out, old and new code run side by side. One of them does not find its column.

    Anti-pattern::

        op.alter_column("users", "name", new_column_name="full_name")

    Best practice::

        # in this release
        headway.rename_column_expand("users", "name", "full_name")
        # in a revision with post_deploy = True
        headway.rename_column_contract("users", "name", "full_name")
    """
    for found in revision.of(RenameColumn):
        table, old, new = found.change.table, found.change.column, found.change.to
        if not revision.is_new(table, found):
            yield revision.finding(
                found,
                f"{table}.{old} is renamed to {new}.",
                "Code that knows only the old name fails until the new one is rolled out everywhere.",
                f"Use `headway.rename_column_expand({table!r}, {old!r}, {new!r})`, and contract after the rollout.",
            )
