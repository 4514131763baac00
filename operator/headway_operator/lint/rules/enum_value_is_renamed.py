"""Rows and code have another value at once (18)."""

from collections.abc import Iterator

from headway_operator.lint.changes import RenameEnumValue
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def enum_value_is_renamed(revision: Revision) -> Iterator[Finding]:
    """ALTER TYPE … RENAME VALUE.

    Every row has the new value at once. Code of the last release reads a value that it does not know, and when it
    writes the old one the statement fails.

    Anti-pattern::

        op.execute("ALTER TYPE state RENAME VALUE 'new' TO 'open'")

    Best practice::

        op.execute("ALTER TYPE state ADD VALUE 'open' BEFORE 'new'")
        # once all code can read both:
        headway.backfill("orders", {"state": "'open'"}, where="state = 'new'")
    """
    for found in revision.of(RenameEnumValue):
        change = found.change
        yield revision.finding(
            found,
            f"The value {change.value!r} of {change.name} is renamed to {change.to!r}.",
            "Running code writes the old value, which fails, and reads the new one, which it does not know.",
            "Add the new value, let code read both, then change the rows with `headway.backfill(…)`.",
        )
