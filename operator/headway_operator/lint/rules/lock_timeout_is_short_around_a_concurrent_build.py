"""A short lock_timeout meets statements that wait by design (57)."""

from collections.abc import Iterator

from headway_operator.lint.changes import CanBeConcurrent, Change, SetVariable, Transaction
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding
from headway_operator.lint.settings_in_force import milliseconds

LONG_ENOUGH_MS = 10 * 60 * 1000


def lock_timeout_is_short_around_a_concurrent_build(revision: Revision) -> Iterator[Finding]:
    """A CONCURRENTLY statement runs under a lock_timeout that the revision has set.

    Such a statement waits for all transactions that use the table, and that wait counts for ``lock_timeout``. When it
    runs out, CREATE INDEX CONCURRENTLY leaves an INVALID index behind: every write keeps it up, no query uses it, and
    the next try says that it exists already. These statements hold nobody up while they wait, so they need no time
    limit. (What Headway sets itself, it takes off around them.)

    Anti-pattern::

        op.execute("SET lock_timeout = '2s'")
        with op.get_context().autocommit_block():
            op.create_index("idx_users_email", "users", ["email"], postgresql_concurrently=True)

    Best practice::

        headway.create_index_concurrently("idx_users_email", "users", ["email"])
    """
    session = local = 0
    for found in revision.of(Change):
        change = found.change
        if found.step.statement.autocommit or isinstance(change, Transaction):
            local = 0
        if isinstance(change, SetVariable) and change.name == "lock_timeout":
            value = milliseconds(change.value)
            session, local = (session, value) if change.is_local else (value, 0)
        elif (
            isinstance(change, CanBeConcurrent)
            and change.concurrently
            and 0 < (local or session) < LONG_ENOUGH_MS
        ):
            yield revision.finding(
                found,
                f"A CONCURRENTLY statement runs under a lock_timeout of {local or session} ms.",
                "It waits for other transactions by design; cut short, it leaves an INVALID index or fails.",
                "`SET lock_timeout = 0` before it, or use the operations of `headway`, which do that.",
            )
