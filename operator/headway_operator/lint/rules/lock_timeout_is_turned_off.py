"""A statement may wait for its lock as long as it likes (40)."""

from collections.abc import Iterator

from headway_operator.lint import changes
from headway_operator.lint.changes import Change, SetVariable
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding
from headway_operator.lint.settings_in_force import milliseconds

LONGEST_MS = 10_000
HARMLESS = (
    changes.CanBeConcurrent,
    changes.CreateTable,
    changes.Other,
    changes.Query,
    changes.SetVariable,
    changes.Transaction,
)


def lock_timeout_is_turned_off(revision: Revision) -> Iterator[Finding]:
    """A revision sets lock_timeout to 0, or to more than ten seconds, and then alters a table in use.

    While the statement waits for its lock, all requests to the table wait behind it. Headway sets a short
    ``lock_timeout`` around every revision and tries again; this takes it off.

    Anti-pattern::

        op.execute("SET lock_timeout = 0")
        op.add_column("users", sa.Column("a", sa.Text()))

    Best practice::

        op.add_column("users", sa.Column("a", sa.Text()))
    """
    is_off = False
    for found in revision.of(Change):
        change = found.change
        if isinstance(change, SetVariable):
            if change.name == "lock_timeout" and change.value is not None:
                is_off = not 0 < milliseconds(change.value) <= LONGEST_MS
        elif (
            is_off
            and change.table
            and not isinstance(change, HARMLESS)
            and not revision.is_harmless(change.table, found)
        ):
            yield revision.finding(
                found,
                f"{change.table} is changed while no lock_timeout, or a long one, is in force.",
                "While it waits for its lock, all requests to the table wait behind it.",
                "Leave lock_timeout to Headway, or set some seconds.",
            )
