"""The application may still use a table that goes (14, 48)."""

from collections.abc import Iterator

from headway_operator.lint.changes import DropTable
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def table_is_dropped(revision: Revision) -> Iterator[Finding]:
    """DROP TABLE in a revision that runs before the new code is everywhere.

    Code of the last release fails from this moment on, and the rows are gone for good. Each foreign key of the table
    also needs an ACCESS EXCLUSIVE lock on the table that it refers to. On a way down it is the code that runs, until
    it is rolled back.

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
        is_there = not revision.is_new(table, found) and not (
            found.change.if_exists and revision.is_absent(table)
        )
        if revision.meets_running_code and is_there:
            when = "on the way down" if revision.facts.is_downgrade else "before the new code is rolled out"
            yield revision.finding(
                found,
                f"{table} is dropped{revision.size_text(table)} {when}.",
                "Code that still uses it fails from this moment on, and its rows are gone.",
                "Roll the application back first, everywhere, to a release that does not use it."
                if revision.facts.is_downgrade
                else "Let no code use it one release earlier, and mark this revision with `post_deploy = True`.",
            )
