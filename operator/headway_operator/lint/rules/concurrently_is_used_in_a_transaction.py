"""A CONCURRENTLY statement that cannot run where it stands (24)."""

from collections.abc import Iterator

from headway_operator.lint.changes import CanBeConcurrent, Transaction
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding, Severity


def concurrently_is_used_in_a_transaction(revision: Revision) -> Iterator[Finding]:
    """CREATE INDEX, DROP INDEX, REINDEX or DETACH PARTITION with CONCURRENTLY outside of an autocommit block.

    PostgreSQL refuses it within a transaction, and Alembic runs every revision in one: the run fails at this place.

    Anti-pattern::

        op.create_index("idx_users_email", "users", ["email"], postgresql_concurrently=True)

    Best practice::

        with op.get_context().autocommit_block():
            op.create_index("idx_users_email", "users", ["email"], postgresql_concurrently=True)
    """
    is_ended = False
    for found in revision.of(CanBeConcurrent, Transaction):
        change = found.change
        if isinstance(change, Transaction):
            is_ended = change.kind in ("TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK")
        elif change.concurrently and not found.step.statement.autocommit:
            yield revision.finding(
                found,
                "A CONCURRENTLY statement stands in the transaction of its revision"
                + (", which a COMMIT in SQL has ended." if is_ended else "."),
                "Not every driver takes note of that: psycopg 3 begins another, and the run fails here."
                if is_ended
                else "PostgreSQL refuses that, so the run fails here.",
                "Put it into `with op.get_context().autocommit_block():`, or use the operation of `headway`.",
                Severity.WARNING if is_ended else Severity.ERROR,
            )
