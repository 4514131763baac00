"""A primary key is made of an index whose columns may be NULL (31)."""

from collections.abc import Iterator

from headway_operator.lint.built import built_indexes
from headway_operator.lint.changes import AddConstraint
from headway_operator.lint.columns_before import column_before
from headway_operator.lint.constraints_before import checks_before
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.findings import Finding


def primary_key_takes_nullable_columns(revision: Revision) -> Iterator[Finding]:
    """ADD PRIMARY KEY USING INDEX, and a column of the index is not NOT NULL yet.

    PostgreSQL makes it NOT NULL, and for that looks at every row under an ACCESS EXCLUSIVE lock: the index that was
    built before saves only half of it. Nothing is said unless the history tells the column for certain.

    Anti-pattern::

        op.create_table("users", sa.Column("id", sa.BigInteger()))
        # in later revisions
        headway.create_index_concurrently("users_pkey", "users", ["id"], unique=True)
        op.execute("ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey")

    Best practice::

        headway.create_index_concurrently("users_pkey", "users", ["id"], unique=True)
        headway.set_not_null_online("users", "id")
        op.execute("ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey")
    """
    for found in revision.of(AddConstraint):
        table, constraint = found.change.table, found.change.constraint
        if (
            constraint.kind != "primary key"
            or not constraint.using_index
            or revision.is_harmless(table, found)
        ):
            continue
        column = next((one for one in _columns(revision, found) if _may_be_null(revision, found, one)), None)
        if column is not None:
            yield revision.finding(
                found,
                f"{table}.{column}, which may be NULL, becomes part of the primary key{revision.size_text(table)}.",
                f"Nobody can read or write {table} until PostgreSQL has looked at all its rows.",
                f"Use `headway.set_not_null_online({table!r}, {column!r})` before.",
            )


def _columns(revision: Revision, found: Of[AddConstraint]) -> tuple[str, ...]:
    """Of the index, where this history builds it."""
    wanted = (found.change.table, found.change.constraint.using_index)
    for one in (revision, *reversed(revision.earlier)):
        for built in reversed(built_indexes(one)):
            if (built.table, built.name) == wanted:
                return built.columns
    return ()


def _may_be_null(revision: Revision, found: Of[AddConstraint], column: str) -> bool:
    """For certain; a CHECK may say that it is not, and PostgreSQL believes a valid one."""
    return column_before(revision, found, column).not_null is False and not checks_before(
        revision, found, column
    )
