"""All rows of a table, or a whole database, go at once (15)."""

from collections.abc import Iterator

from headway_operator.lint.changes import DropDatabase, Truncate
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding, Severity


def rows_are_thrown_away(revision: Revision) -> Iterator[Finding]:
    """TRUNCATE of a table with rows, with CASCADE also of others; DROP DATABASE.

    TRUNCATE takes an ACCESS EXCLUSIVE lock, and with CASCADE it empties every table that refers to this one, named or
    not. No downgrade brings rows back.

    Anti-pattern::

        op.execute("TRUNCATE users CASCADE")

    Best practice::

        op.execute("DELETE FROM users WHERE …")  # what is meant, in batches
    """
    for database in revision.of(DropDatabase):
        yield revision.finding(
            database,
            f"The database {database.change.name} is dropped.",
            "Whatever is in it is gone.",
            "Drop databases by hand, never in a revision.",
        )
    for found in revision.of(Truncate):
        table, cascade = found.change.table, found.change.cascade
        if not revision.is_new(table, found):
            yield revision.finding(
                found,
                f"{table} is emptied{', and every table that refers to it' if cascade else ''}.",
                "No downgrade brings the rows back, and nobody can read or write the table meanwhile.",
                "Name the rows that are to go and delete them in batches; name each table instead of CASCADE.",
                Severity.ERROR if cascade else Severity.WARNING,
            )
