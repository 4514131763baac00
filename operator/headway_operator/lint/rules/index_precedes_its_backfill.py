"""A column is indexed first and filled afterwards (56)."""

from collections.abc import Iterator

from headway_operator.lint.built import built_indexes
from headway_operator.lint.context import Revision
from headway_operator.lint.filled import Filled, filled_columns
from headway_operator.lint.findings import Finding


def index_precedes_its_backfill(revision: Revision) -> Iterator[Finding]:
    """An index on a column is built before the column is filled.

    With an index on the column, PostgreSQL cannot keep the new row version beside the old one (no HOT update): every
    row is entered anew into every index of the table. The backfill takes about twice as long, and the indexes end up
    about twice as large. Built afterwards, the index is compact and is built once.

    Anti-pattern::

        headway.create_index_concurrently("idx_users_status", "users", ["status"])
        headway.backfill("users", {"status": "'active'"}, where="status IS NULL")

    Best practice::

        headway.backfill("users", {"status": "'active'"}, where="status IS NULL")
        headway.create_index_concurrently("idx_users_status", "users", ["status"])
    """
    for filled in filled_columns(revision):
        if revision.is_harmless(filled.table, filled.place):
            continue
        index = _index_before(revision, filled)
        if index:
            yield revision.finding(
                filled.place,
                f"{filled.table}.{filled.column} is filled after {index} was built on it.",
                "Each row is then entered anew into every index: the backfill takes longer and the indexes grow.",
                "Fill the column first, and build the index in a later revision.",
            )


def _index_before(revision: Revision, filled: Filled) -> str:
    """The index that is there already, empty when there is none."""
    for one in (*revision.earlier, revision):
        for built in built_indexes(one):
            is_before = one is not revision or 0 < built.line < filled.line
            if is_before and built.table == filled.table and filled.column in built.columns:
                return built.name or "an index"
    return ""
