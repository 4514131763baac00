"""A half-built index counts as one that exists (25)."""

from collections.abc import Iterator

from headway_operator.lint.changes import CreateIndex
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def concurrent_index_is_built_if_not_exists(revision: Revision) -> Iterator[Finding]:
    """CREATE INDEX CONCURRENTLY IF NOT EXISTS.

    A build that was interrupted leaves an INVALID index of this name. The next run finds that it exists, does
    nothing, and is taken for a success: the index is kept up by every write, and no query uses it.

    Anti-pattern::

        op.create_index("idx", "users", ["email"], postgresql_concurrently=True, if_not_exists=True)

    Best practice::

        headway.create_index_concurrently("idx", "users", ["email"])
    """
    for found in revision.of(CreateIndex):
        index = found.change
        if index.concurrently and index.if_not_exists and not revision.is_new(index.table, found):
            yield revision.finding(
                found,
                f"The index {index.name} is built CONCURRENTLY IF NOT EXISTS.",
                "An INVALID index that an interrupted build has left counts as one that exists.",
                f"Use `headway.create_index_concurrently({index.name!r}, {index.table!r}, …)`, which looks at that.",
            )
