"""Readers meet a NULL that they never saw before (12)."""

from collections.abc import Iterator

from headway_operator.lint.changes import DropNotNull
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def not_null_is_dropped(revision: Revision) -> Iterator[Finding]:
    """DROP NOT NULL on a column that code has relied on.

    The statement is quick. But code of the last release that reads the column has never met NULL there.

    Anti-pattern::

        op.alter_column("users", "name", nullable=True)  # and writes NULL in the same release

    Best practice::

        op.alter_column("users", "name", nullable=True)
        # NULL is written only by the release after the one that can read it
    """
    for found in revision.of(DropNotNull):
        table, column = found.change.table, found.change.column
        if not revision.is_new(table, found):
            yield revision.finding(
                found,
                f"{table}.{column} may be NULL from now on.",
                "Code of the last release, which still runs, has never met NULL there.",
                "Write NULL only when all code that reads the column can bear it.",
            )
