"""SQL that nobody here can judge (47)."""

from collections.abc import Iterator

from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding, Severity


def statement_cannot_be_read(revision: Revision) -> Iterator[Finding]:
    """A statement is no SQL of PostgreSQL's, or not all of it is written out.

    No rule has looked at it. Most often it is put together at run time, or meant for another database. Under
    `lint.mode: Enforce` it waits for a comment that says why it is harmless, or for an approval of the plan.

    Anti-pattern::

        op.execute(f"ALTER TABLE {name} ALTER COLUMN id TYPE bigint")

    Best practice::

        op.execute("ALTER TABLE users ALTER COLUMN id TYPE bigint")
    """
    for unread in revision.unread:
        yield revision.finding(
            unread,
            f"A statement cannot be read: {unread.problem}.",
            "No rule has looked at it.",
            "Write the statement out, or say in a comment why it is harmless.",
            Severity.WARNING,
        )
