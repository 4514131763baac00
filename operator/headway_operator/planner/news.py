"""What changed between two statuses that a person wants to be told: events of the resource, told once each."""

from collections.abc import Iterator

from headway_operator.api.status import DatabasePhase, DatabaseStatus, Status
from headway_operator.planner.actions import TellUser
from headway_operator.planner.explain import attempt_text

_MESSAGE_CHARACTERS = 1000


def news(old: Status, new: Status, attempts: int) -> tuple[TellUser, ...]:
    """The events of this change, in the order in which things happened; ``attempts``: how many there may be."""
    return tuple(_of_databases(old, new, attempts)) + tuple(_of_run(old, new))


def _of_databases(old: Status, new: Status, attempts: int) -> Iterator[TellUser]:
    same_run = old.run is not None and new.run is not None and old.run.id == new.run.id
    for database in new.databases:
        before = old.database(database.name) if same_run else None
        if before is None or (before.phase, before.attempt) != (database.phase, database.attempt):
            yield from _of_database(database, new, attempts)


def _of_database(database: DatabaseStatus, status: Status, attempts: int) -> Iterator[TellUser]:
    key = f"{status.run.id if status.run else ''}/{database.name}/{database.attempt}/{database.phase}"
    text = f"{database.name}: {database.message}"[:_MESSAGE_CHARACTERS]
    if database.phase is DatabasePhase.MIGRATING:
        which = attempt_text(database.failures, attempts)
        started = f"{database.name}: Job {database.job_name} started{f', {which}' if which else ''}"
        yield TellUser("JobStarted", started, key=key)
    elif database.phase is DatabasePhase.SUCCEEDED:
        yield TellUser("DatabaseSucceeded", text, key=key)
    elif database.phase in (DatabasePhase.WAITING, DatabasePhase.FAILED):
        yield TellUser(database.reason or "DatabaseFailed", text, warning=True, key=key)
    elif database.phase is DatabasePhase.SKIPPED:
        yield TellUser("DatabaseSkipped", text, warning=True, key=key)


def _of_run(old: Status, new: Status) -> Iterator[TellUser]:
    before, after = old.condition("Ready"), new.condition("Ready")
    if after is None or (before and (before.status, before.reason) == (after.status, after.reason)):
        return
    key = f"{new.run.id if new.run else ''}/{new.observed_generation}/{after.status}/{after.reason}"
    warning = after.status == "False"
    yield TellUser(after.reason, after.message[:_MESSAGE_CHARACTERS], warning=warning, key=key)
