"""Rows are filled while the lock of a schema change is held (55)."""

from collections.abc import Iterator

from headway_operator.lint import changes
from headway_operator.lint.changes import Delete, Insert, Update
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.findings import Finding

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
"""ALTER TABLE, in those forms that let nobody read, or nobody write, until the transaction ends."""


def backfill_shares_the_transaction_of_a_schema_change(revision: Revision) -> Iterator[Finding]:
    """A table is altered and rows are changed in one transaction.

    The lock of ALTER TABLE is held until the transaction ends: while the rows are being changed, nobody can even read
    the table. Each alone may be quick enough; together they are as slow as the slower one.

    Anti-pattern::

        op.add_column("users", sa.Column("status", sa.String()))
        op.execute("UPDATE users SET status = 'active'")

    Best practice::

        # one revision
        op.add_column("users", sa.Column("status", sa.String()))
        # the next one
        headway.backfill("users", {"status": "'active'"}, where="status IS NULL")
    """
    altered: dict[str, Of[changes.Change]] = {}
    for found in revision.of(*LOCKING, Update, Delete, Insert):
        if found.step.statement.autocommit:
            altered.clear()
        elif isinstance(found.change, LOCKING):
            if not revision.is_harmless(found.change.table, found):
                altered.setdefault(found.change.table, found)
        elif altered and _may_be_long(revision, found):
            yield _finding(revision, found, next(iter(altered)))


def _may_be_long(revision: Revision, found: Of[changes.Change]) -> bool:
    if isinstance(found.change, Insert) and not found.change.from_query:
        return False
    return isinstance(found.change, Insert) or not revision.is_harmless(found.change.table, found)


def _finding(revision: Revision, found: Of[changes.Change], altered: str) -> Finding:
    return revision.finding(
        found,
        f"Rows of {found.change.table} are changed in the transaction that has altered {altered}.",
        f"Until the last row is done nobody can use {altered}, not even to read it.",
        "Alter in one revision and fill in the next one, with `headway.backfill(…)`.",
    )
