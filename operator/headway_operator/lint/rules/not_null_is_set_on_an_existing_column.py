"""Everybody waits while all rows are looked at (11)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddConstraint, SetNotNull, ValidateConstraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding
from headway_operator.lint.tree import below, columns_in


def not_null_is_set_on_an_existing_column(revision: Revision) -> Iterator[Finding]:
    """SET NOT NULL on a column of a table that is in use.

    PostgreSQL reads the whole table under an ACCESS EXCLUSIVE lock: nobody can read or write it meanwhile. With a
    valid CHECK constraint that says the same it looks at that instead, and is done at once (PostgreSQL 12). A column
    that was NOT NULL already, by ``existing_nullable=False`` or by an earlier revision, is not looked at again.

    Anti-pattern::

        op.alter_column("users", "status", nullable=False)

    Best practice::

        headway.set_not_null_online("users", "status")
    """
    for found in revision.of(SetNotNull):
        table, column = found.change.table, found.change.column
        is_known = revision.was_not_null(found) or _is_proven(revision, table, column)
        if not revision.is_harmless(table, found) and not is_known:
            yield revision.finding(
                found,
                f"{table}.{column} is made NOT NULL in one step{revision.size_text(table)}.",
                f"Nobody can read or write {table} until PostgreSQL has looked at all its rows.",
                f"Use `headway.set_not_null_online({table!r}, {column!r})`.",
            )


def _is_proven(revision: Revision, table: str, column: str) -> bool:
    """A CHECK of this run says that it is not NULL, and was validated."""
    names = set()
    for one in (*revision.earlier, revision):
        for found in one.of(AddConstraint):
            constraint = found.change.constraint
            if found.change.table == table and constraint.kind == "check":
                tests = below(constraint.expression, "NullTest")
                if any(
                    test.get("nulltesttype") == "IS_NOT_NULL" and column in columns_in(test.get("arg"))
                    for test in tests
                ):
                    names.add(constraint.name)
    validated = {
        found.change.name for one in (*revision.earlier, revision) for found in one.of(ValidateConstraint)
    }
    return bool(names & validated)
