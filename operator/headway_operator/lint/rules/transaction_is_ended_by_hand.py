"""A revision takes Alembic's transaction away (50)."""

from collections.abc import Iterator

from headway_operator.lint.changes import Transaction
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def transaction_is_ended_by_hand(revision: Revision) -> Iterator[Finding]:
    """COMMIT, ROLLBACK or BEGIN as SQL in a revision.

    Alembic and the driver do not take note of it: what follows runs with or without a transaction, as the driver
    happens to do it, and a failure later leaves half of the revision without its version being noted.

    Anti-pattern::

        op.execute("COMMIT")
        op.execute("CREATE INDEX CONCURRENTLY …")

    Best practice::

        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY …")
    """
    for found in revision.of(Transaction):
        if "SAVEPOINT" not in found.change.kind and found.change.kind != "TRANS_STMT_RELEASE":
            word = found.change.kind.removeprefix("TRANS_STMT_")
            yield revision.finding(
                found,
                f"{word} is executed as SQL.",
                "Neither Alembic nor the driver takes note, so a failure afterwards leaves half of the revision.",
                "Use `with op.get_context().autocommit_block():` for what must run outside of the transaction.",
            )
