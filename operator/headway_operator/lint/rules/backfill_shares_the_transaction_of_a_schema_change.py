"""Rows are filled while the lock of a schema change is held (55)."""

from collections.abc import Iterator

from headway_operator.lint import changes
from headway_operator.lint.changes import Delete, Insert, Update
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.findings import Finding
from headway_operator.lint.locks import Mode, mode_of
from headway_operator.lint.tree import tables_read

LOCKING = (
    changes.AddColumn,
    changes.DropColumn,
    changes.AlterType,
    changes.SetDefault,
    changes.SetNotNull,
    changes.DropNotNull,
    changes.AddConstraint,
    changes.DropConstraint,
    changes.RenameColumn,
    changes.RenameTable,
    changes.AlterOther,
)
"""ALTER TABLE: in most of its forms nobody can read, or nobody can write, until the transaction ends."""


def backfill_shares_the_transaction_of_a_schema_change(revision: Revision) -> Iterator[Finding]:
    """A table is altered and rows are changed in one transaction.

    The lock of ALTER TABLE is held until the transaction ends: while the rows are being changed, nobody can even read
    the table, or nobody can write to it where the form is one that lets others read. Each alone may be quick enough;
    together they are as slow as the slower one.

    Anti-pattern::

        op.add_column("users", sa.Column("status", sa.String()))
        op.execute("UPDATE users SET status = 'active'")

    Best practice::

        # one revision
        op.add_column("users", sa.Column("status", sa.String()))
        # the next one
        headway.backfill("users", {"status": "'active'"}, where="status IS NULL")
    """
    altered: dict[str, Mode] = {}
    for found in revision.of(*LOCKING, Update, Delete, Insert):
        table = found.change.table
        if found.step.statement.autocommit:
            altered.clear()
        elif isinstance(found.change, LOCKING):
            mode = mode_of(found.change)
            if mode is not None and mode.stops and not revision.is_harmless(table, found):
                altered[table] = max(mode, altered.get(table, mode), key=lambda one: one.rank)
        elif altered and _may_be_long(revision, found):
            yield _finding(revision, found, altered)


def _may_be_long(revision: Revision, found: Of[changes.Change]) -> bool:
    """By the rows that it goes over; those of an INSERT are those that its query reads."""
    change = found.change
    if not isinstance(change, Insert):
        return not revision.is_harmless(change.table, found)
    if not change.from_query:
        return False
    read, is_known = tables_read(change.tree)
    return not (is_known and all(revision.is_harmless(table, found) for table in read))


def _finding(revision: Revision, found: Of[changes.Change], altered: dict[str, Mode]) -> Finding:
    table, mode = max(altered.items(), key=lambda one: one[1].rank)
    nobody = (
        f"nobody can use {table}, not even to read it"
        if mode is Mode.ACCESS_EXCLUSIVE
        else f"nobody can write to {table}"
    )
    return revision.finding(
        found,
        f"Rows of {found.change.table} are changed in the transaction that has altered {table}.",
        f"Until the last row is done {nobody}.",
        "Alter in one revision and fill in the next one, with `headway.backfill(…)`.",
    )
