"""What the schema of the resource lets the status say of a database: what is longer loses its middle. Pure.

The API server refuses the whole status when one text is too long, and it would be too long in every look.
"""

from dataclasses import replace

from headway_contract.result import shorten
from headway_operator.api.status import BackfillStatus, DatabaseStatus, Pending, Status

MESSAGE_CHARACTERS = 4096
TITLE_CHARACTERS = 4096
REVISIONS_CHARACTERS = 2048
"""Of the revisions where a database is, or is to be, in one line."""
BACKFILL_CHARACTERS = 1024
"""Of its operation, of its columns in one line, and of what holds it."""
TABLE_CHARACTERS = 256
UNTOLD_KEPT = 5000
"""Of one database; revisions that come after so many are not told of one by one."""


def bounded(status: Status) -> Status:
    """The same, as far as there is room for it."""
    return replace(status, databases=tuple(map(_database, status.databases)))


def _database(database: DatabaseStatus) -> DatabaseStatus:
    return replace(
        database,
        current_revision=shorten(database.current_revision, REVISIONS_CHARACTERS),
        target_revision=shorten(database.target_revision, REVISIONS_CHARACTERS),
        pending=tuple(map(_titled, database.pending)),
        untold=database.untold[:UNTOLD_KEPT],
        unasked=database.unasked[:UNTOLD_KEPT],
        message=shorten(database.message, MESSAGE_CHARACTERS),
        backfill=None if database.backfill is None else _backfill(database.backfill),
    )


def _backfill(backfill: BackfillStatus) -> BackfillStatus:
    return replace(
        backfill,
        operation=shorten(backfill.operation, BACKFILL_CHARACTERS),
        columns=shorten(backfill.columns, BACKFILL_CHARACTERS),
        table=shorten(backfill.table, TABLE_CHARACTERS),
        throttled_by=shorten(backfill.throttled_by, BACKFILL_CHARACTERS),
    )


def _titled(pending: Pending) -> Pending:
    if len(pending.title) <= TITLE_CHARACTERS:  # a plan may have thousands of them
        return pending
    return replace(pending, title=shorten(pending.title, TITLE_CHARACTERS))
