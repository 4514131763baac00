"""A table is copied while nobody can use it (42, 43)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn, AlterOther, Cluster, Column, CreateTable, Vacuum
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding

COPYING = {
    "AT_SetTableSpace": "SET TABLESPACE",
    "AT_SetLogged": "SET LOGGED",
    "AT_SetUnLogged": "SET UNLOGGED",
    "AT_SetAccessMethod": "SET ACCESS METHOD",
    "AT_SetExpression": "SET EXPRESSION",
}


def table_is_written_anew(revision: Revision) -> Iterator[Finding]:
    """VACUUM FULL, CLUSTER, SET TABLESPACE, SET LOGGED and their like on a table in use.

    All of it is copied under an ACCESS EXCLUSIVE lock. ``SET EXPRESSION`` does so for a column that is generated and
    stored; for one that a revision of the same history has made ``VIRTUAL`` it only changes the catalog.

    Anti-pattern::

        op.execute("VACUUM FULL users")

    Best practice::

        # plain VACUUM in operation; pg_repack, or REPACK CONCURRENTLY of PostgreSQL 19, outside of revisions
    """
    for found in revision.of(AlterOther, Cluster, Vacuum):
        change = found.change
        if isinstance(change, AlterOther):
            how = "" if _is_virtual(revision, change) else COPYING.get(change.form, "")
        else:
            how = "CLUSTER" if isinstance(change, Cluster) else "VACUUM FULL" if change.full else ""
        if how and not revision.is_harmless(change.table, found):
            yield revision.finding(
                found,
                f"{how} writes {change.table or 'every table'} anew{revision.size_text(change.table)}.",
                "Nobody can read or write it until all of it is copied.",
                "Do it outside of revisions with a tool that lets others work, such as pg_repack.",
            )


def _is_virtual(revision: Revision, change: AlterOther) -> bool:
    """It is about a generated column that is not stored, as this history says."""
    if change.form != "AT_SetExpression":
        return False
    columns = (
        column
        for one in (*revision.earlier, revision)
        for found in one.of(CreateTable, AddColumn)
        if found.change.table == change.table
        for column in _defined(found.change)
    )
    last = [column for column in columns if column.name == change.name][-1:]
    return any(column.generated == "virtual" for column in last)


def _defined(change: CreateTable | AddColumn) -> tuple[Column, ...]:
    return change.columns if isinstance(change, CreateTable) else (change.column,)
