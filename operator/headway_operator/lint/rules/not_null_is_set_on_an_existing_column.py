"""Everybody waits while all rows are looked at (11)."""

from collections.abc import Iterator

from headway_contract.facts import Call
from headway_operator.lint.changes import AddConstraint, SetNotNull, ValidateConstraint
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.expressions import never_null_in
from headway_operator.lint.filled import expression_of
from headway_operator.lint.findings import Finding
from headway_operator.lint.reading_calls import argument, text_of
from headway_operator.lint.tree import qualified


def not_null_is_set_on_an_existing_column(revision: Revision) -> Iterator[Finding]:
    """SET NOT NULL, or ADD CONSTRAINT … NOT NULL without NOT VALID, on a column of a table that is in use.

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
        if revision.is_harmless(table, found):
            continue
        if not revision.was_not_null(found) and not _is_proven(revision, found):
            yield revision.finding(
                found,
                f"{table}.{column} is made NOT NULL in one step{revision.size_text(table)}.",
                f"Nobody can read or write {table} until PostgreSQL has looked at all its rows.",
                f"Use `headway.set_not_null_online({table!r}, {column!r})`.",
            )


def _is_proven(revision: Revision, found: Of[SetNotNull]) -> bool:
    """A CHECK of this run says that it is not NULL, and was validated."""
    return _is_proven_by_steps(revision, found.change) or _is_proven_by_library(revision, found)


def _is_proven_by_steps(revision: Revision, change: SetNotNull) -> bool:
    everything = (*revision.earlier, revision)
    names = {
        found.change.constraint.name
        for one in everything
        for found in one.of(AddConstraint)
        if found.change.table == change.table
        and found.change.constraint.kind == "check"
        and change.column in never_null_in(found.change.constraint.expression)
    }
    validated = {found.change.name for one in everything for found in one.of(ValidateConstraint)}
    return bool(names & validated)


def _is_proven_by_library(revision: Revision, found: Of[SetNotNull]) -> bool:
    return any(
        _says(call, found.change)
        for one in (*revision.earlier, revision)
        for call in one.operations("add_check_online")
        if one is not revision or revision.runs_before(call, found)
    )


def _says(call: Call, change: SetNotNull) -> bool:
    table = qualified(text_of(argument(call, 3, "schema")), text_of(argument(call, 1, "table_name")))
    condition = expression_of(text_of(argument(call, 2, "condition")))
    return table == change.table and change.column in never_null_in(condition)
