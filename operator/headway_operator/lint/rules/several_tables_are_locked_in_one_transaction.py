"""Locks that let nobody in pile up (38)."""

from collections.abc import Iterator

from headway_operator.lint import changes
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding
from headway_operator.lint.locks import Mode, mode_of

LOCKING = (
    changes.AddColumn,
    changes.AlterOther,
    changes.AlterType,
    changes.DropColumn,
    changes.DropConstraint,
    changes.DropTable,
    changes.RenameColumn,
    changes.RenameTable,
    changes.SetNotNull,
)


def several_tables_are_locked_in_one_transaction(revision: Revision) -> Iterator[Finding]:
    """Two tables in use or more are altered in one transaction.

    Most forms of ALTER TABLE take an ACCESS EXCLUSIVE lock, which is held until the end. While the second one waits
    for its lock, nobody can use the first table; and requests that use both may wait for us while we wait for them.

    Anti-pattern::

        op.add_column("users", sa.Column("a", sa.Text()))
        op.add_column("orders", sa.Column("a", sa.Text()))

    Best practice::

        # a revision for each table
    """
    locked: list[str] = []
    for found in revision.of(*LOCKING):
        table = found.change.table
        if mode_of(found.change) is not Mode.ACCESS_EXCLUSIVE:
            continue
        if found.step.statement.autocommit or table in locked or revision.is_harmless(table, found):
            continue
        locked.append(table)
        if len(locked) > 1:
            yield revision.finding(
                found,
                f"{table} is altered in the transaction that holds {locked[0]}.",
                f"While it waits for {table}, nobody can use {locked[0]}.",
                "Give each table a revision of its own.",
            )
