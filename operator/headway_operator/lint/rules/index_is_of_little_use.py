"""An index of a kind that seldom pays (28)."""

from collections.abc import Iterator

from headway_operator.lint.changes import CreateIndex
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding

MANY = 3


def index_is_of_little_use(revision: Revision) -> Iterator[Finding]:
    """A hash index, or a plain one on more than three columns.

    A hash index serves equality only, and cannot be unique; a btree does the same and more. Of an index on many
    columns, queries mostly use the first ones, and every write keeps up all of it.

    Anti-pattern::

        op.create_index("idx_users", "users", ["tenant", "kind", "state", "created", "name"])

    Best practice::

        op.create_index("idx_users", "users", ["tenant", "created"])
    """
    for found in revision.of(CreateIndex):
        index = found.change
        is_wide = not index.unique and index.method == "btree" and len(index.columns) > MANY
        if index.method == "hash" or is_wide:
            yield revision.finding(
                found,
                f"The index {index.name} is {'a hash index' if not is_wide else f'on {len(index.columns)} columns'}.",
                "It serves equality only." if not is_wide else "Queries mostly use the first ones of them.",
                "Use a btree index."
                if not is_wide
                else "Leave out the columns that do not narrow the search.",
            )
