"""PostgreSQL keeps 63 bytes of a name and drops the rest in silence (51)."""

import re
from collections.abc import Iterator

from headway_operator.lint import changes
from headway_operator.lint.changes import Change, Column, Constraint
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding

KEPT_BYTES, LOST_AT_MOST = 63, 3
"""A letter is not cut within: so a name that was cut has up to three bytes less."""

_TEXT = re.compile(r"'(?:[^']|'')*'")


def name_is_cut_short(revision: Revision) -> Iterator[Finding]:
    """A table, column, constraint, index or type gets a name of more than 63 bytes.

    PostgreSQL cuts it and goes on. Two names that begin alike are then one, which ends the revision, and whoever
    looks in the catalog for the whole name does not find it: ``alembic revision --autogenerate`` drops and makes
    it anew each time. SQLAlchemy looks at the names of constraints and indexes, and counts letters where PostgreSQL
    counts bytes.

    Anti-pattern::

        op.add_column("users", sa.Column("moment_of_the_last_successful_confirmation_of_the_email_address_", sa.Date))

    Best practice::

        op.add_column("users", sa.Column("address_confirmed_by_letter_on", sa.Date))
    """
    for found in revision.of(Change):
        cut = next((one for one in _given(found.change) if _is_cut(one, found.step.statement.sql)), None)
        if cut is not None:
            yield revision.finding(
                found,
                f"A name is longer than {KEPT_BYTES} bytes; PostgreSQL makes it {cut}.",
                "Another name that begins like that is the same one, and comparisons do not find the whole name.",
                "Choose a shorter name.",
            )


def _given(change: Change) -> Iterator[str]:
    """The names that this gives to something."""
    match change:
        case changes.CreateTable():
            yield change.table.rpartition(".")[2]
            for column in change.columns:
                yield from _of_column(column)
            yield from _of_constraints(change.constraints)
        case changes.AddColumn(column=column):
            yield from _of_column(column)
        case changes.AddConstraint(constraint=constraint):
            yield constraint.name
        case changes.SetNotNull(constraint=name):
            yield name
        case changes.CreateIndex(name=name) | changes.CreateEnum(name=name):
            yield name.rpartition(".")[2]
        case changes.RenameTable(to=to) | changes.RenameColumn(to=to) | changes.RenameOther(to=to):
            yield to


def _of_column(column: Column) -> Iterator[str]:
    yield column.name
    yield from _of_constraints(column.constraints)


def _of_constraints(constraints: tuple[Constraint, ...]) -> Iterator[str]:
    return (one.name for one in constraints)


def _is_cut(name: str, sql: str) -> bool:
    """As the grammar read it, it is as long as can be, and in the text it goes on."""
    if not KEPT_BYTES - LOST_AT_MOST <= len(name.encode()) <= KEPT_BYTES:
        return False
    quoted = re.escape(name.replace('"', '""'))
    sql = _TEXT.sub("''", sql)
    return bool(
        re.search(rf'"{quoted}[^"]', sql) or re.search(rf"(?<![\w$\"]){re.escape(name)}[\w$]", sql, re.I)
    )
