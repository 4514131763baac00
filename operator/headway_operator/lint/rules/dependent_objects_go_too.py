"""CASCADE takes away what nobody has named (53)."""

from collections.abc import Iterator

from headway_operator.lint import changes
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding

DROPS = (changes.DropColumn, changes.DropConstraint, changes.DropIndex, changes.DropOther, changes.DropTable)


def dependent_objects_go_too(revision: Revision) -> Iterator[Finding]:
    """DROP … CASCADE.

    Views, foreign keys, policies and functions that depend on the object go as well, and nothing says which: on
    production there may be more of them than on the machine where this was tried.

    Anti-pattern::

        op.execute("DROP TABLE carts CASCADE")

    Best practice::

        op.execute("DROP VIEW open_carts")
        op.execute("DROP TABLE carts")
    """
    for found in revision.of(*DROPS):
        change = found.change
        if (
            isinstance(change, DROPS)
            and change.cascade
            and not (change.table and revision.is_new(change.table, found))
        ):
            yield revision.finding(
                found,
                "An object is dropped with CASCADE.",
                "All that depends on it goes as well, named or not.",
                "Drop by name what depends on it, then the object without CASCADE.",
            )
