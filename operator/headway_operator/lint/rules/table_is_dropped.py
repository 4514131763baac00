"""The application may still use a table that goes (14, 48)."""

from collections.abc import Iterator

from headway_operator.lint.changes import DropTable
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def table_is_dropped(revision: Revision) -> Iterator[Finding]:
    """DROP TABLE in a revision that runs before the new code is everywhere.

    Code of the last release fails from this moment on, and the rows are gone for good. Each foreign key of the table
    also needs an ACCESS EXCLUSIVE lock on the table that it refers to.

    Anti-pattern::

        op.drop_table("carts")

    Best practice::

        # the release before: no code uses it any more; then
        post_deploy = True

        def upgrade():
            op.drop_table("carts")
    """
    for found in revision.of(DropTable):
        table = found.change.table
        if not revision.facts.post_deploy and not revision.is_new(table):
            yield revision.finding(
                found,
                f"{table} is dropped{revision.size_text(table)} before the new code is rolled out.",
                "Code that still uses it fails from this moment on, and its rows are gone.",
                "Let no code use it one release earlier, and mark this revision with `post_deploy = True`.",
            )
