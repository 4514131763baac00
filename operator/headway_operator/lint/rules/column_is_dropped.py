"""The application may still use a column that goes (13)."""

from collections.abc import Iterator

from headway_operator.lint.changes import DropColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding

UP = "Take it out of the models one release earlier, and mark this revision with `post_deploy = True`."
DOWN = "Roll the application back first, everywhere, to a release whose models do not have it."


def column_is_dropped(revision: Revision) -> Iterator[Finding]:
    """DROP COLUMN in a revision that runs before the new code is everywhere.

    The statement itself is quick. But code of the last release names the column in every SELECT and INSERT that its
    models make, and fails from this moment on. On a way down it is the code that runs, until it is rolled back.

    Anti-pattern::

        op.drop_column("users", "name")

    Best practice::

        # the release before: the models do not have the column any more; then
        post_deploy = True

        def upgrade():
            op.drop_column("users", "name")
    """
    is_down = revision.facts.is_downgrade
    when = "on the way down" if is_down else "before the new code is rolled out"
    for found in revision.of(DropColumn):
        table, column = found.change.table, found.change.column
        if revision.meets_running_code and not revision.is_new(table, found):
            yield revision.finding(
                found,
                f"{table}.{column} is dropped {when}.",
                "Code that still has the column in its models fails from this moment on.",
                DOWN if is_down else UP,
            )
