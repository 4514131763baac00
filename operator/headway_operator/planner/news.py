"""What changed between two statuses that a person wants to be told: events of the resource, told once each."""

from collections.abc import Iterator

from headway_contract.result import shorten
from headway_operator.api.hooks import Result
from headway_operator.api.migration import LintSettings
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Stage, Status
from headway_operator.planner.actions import TellUser
from headway_operator.planner.backfills import record_line
from headway_operator.planner.drift import drift_line, is_news
from headway_operator.planner.explain import attempt_text
from headway_operator.planner.happenings import EVERY_HOOK
from headway_operator.planner.meaning import of_the_end, of_the_pause
from headway_operator.planner.review import is_reviewed_now, summary
from headway_operator.planner.room import Entries

_MESSAGE_CHARACTERS = 1000


def news(old: Status, new: Status, attempts: int, name: str, given_way: Entries = ()) -> tuple[TellUser, ...]:
    """The events of this change of the resource ``name``, in the order in which things happened.

    ``attempts``: how many there may be. ``given_way``: messages of hooks for which the new status has no room.
    """
    of_run = _of_run(old, new, attempts, name)
    return (*_of_databases(old, new, attempts), *_of_hooks(old.hooks, (*given_way, *new.hooks)), *of_run)


def news_of_lint(old: Status, new: Status, lint: LintSettings, name: str) -> tuple[TellUser, ...]:
    """The event of a plan that was just made and has findings; where they end the run, that says what they are."""
    plan, run = new.plan, new.run.id if new.run else ""
    ready = new.condition("Ready")
    if plan is None or not plan.warnings or not is_reviewed_now(old.plan, plan):
        return ()
    if ready is not None and ready.reason == "LintFailed":
        return ()
    text = shorten(summary(plan, lint, name), _MESSAGE_CHARACTERS)
    return (TellUser("LintFindings", text, warning=True, key=f"{run}/lint/{plan.attempt}"),)


def _of_databases(old: Status, new: Status, attempts: int) -> Iterator[TellUser]:
    same_run = old.run is not None and new.run is not None and old.run.id == new.run.id
    for database in new.databases:
        before = old.database(database.name) if same_run else None
        yield from _of_backfills(before, database, new)
        if before is None or _place(before) != _place(database):
            yield from _of_database(database, new, attempts)
        yield from _of_drift(old.database(database.name), database, new)


def _of_drift(before: DatabaseStatus | None, now: DatabaseStatus, status: Status) -> Iterator[TellUser]:
    """A change is one since the last comparison, in whatever run that was."""
    if now.drift is not None and is_news(None if before is None else before.drift, now.drift):
        text = shorten(f"{now.name}: {drift_line(now.drift)}", _MESSAGE_CHARACTERS)
        key = f"{status.run.id if status.run else ''}/{now.name}/drift/{now.drift.digest}"
        yield TellUser("DriftChanged", text, key=key)


def _place(database: DatabaseStatus) -> tuple[Stage, DatabasePhase, int]:
    """How far it is, a backfill being told in its own way."""
    phase = DatabasePhase.MIGRATING if database.phase.is_working else database.phase
    return database.stage, phase, database.attempt


def _of_backfills(before: DatabaseStatus | None, now: DatabaseStatus, status: Status) -> Iterator[TellUser]:
    """Start, quarters, a hold of more than a minute, end."""
    known = () if before is None else before.backfills
    run = status.run.id if status.run else ""
    finished = {record.operation for record in known}
    for record in now.backfills:
        if record.operation not in finished:
            text = f"{now.name}: {record_line(record)}"
            yield TellUser("BackfillFinished", text, key=f"{run}/{now.name}/{record.operation}")
    new, old = now.backfill, None if before is None else before.backfill
    if new is None:
        return
    key, text = f"{run}/{now.name}/{new.revision}/{new.operation}", f"{now.name}: {now.message}"
    if old is None or (old.revision, old.operation) != (new.revision, new.operation):
        old = None
        yield TellUser("BackfillStarted", text, key=f"{key}/{now.attempt}")
    quarter = (new.percent or 0) // 25
    if 0 < quarter < 4 and quarter > ((old.percent or 0) // 25 if old else 0):
        yield TellUser("BackfillProgressed", text, key=f"{key}/{quarter}")
    if new.throttled_minutes and not (old and old.throttled_minutes):
        is_wished = bool(status.last_handled_paused)
        yield TellUser(
            "BackfillHeld", text, warning=not is_wished, key=f"{key}/{now.attempt}/{new.rows_done}"
        )


def _of_database(database: DatabaseStatus, status: Status, attempts: int) -> Iterator[TellUser]:
    stage, phase, attempt = _place(database)
    part = f"/{stage}" if stage is Stage.POST_DEPLOY else ""
    key = f"{status.run.id if status.run else ''}/{database.name}{part}/{attempt}/{phase}"
    text = shorten(f"{database.name}: {database.message}", _MESSAGE_CHARACTERS)
    if database.phase.is_working:
        which = attempt_text(database.failures, attempts)
        started = f"{database.name}: Job {database.job_name} started{f', {which}' if which else ''}"
        yield TellUser("JobStarted", started, key=key)
    elif database.phase is DatabasePhase.SUCCEEDED:
        yield TellUser("DatabaseSucceeded", text, key=key)
    elif database.phase is DatabasePhase.PENDING and stage is Stage.POST_DEPLOY and not attempt:
        yield TellUser("DatabaseReady", text, key=key)
    elif database.phase in (DatabasePhase.WAITING, DatabasePhase.FAILED):
        yield TellUser(database.reason or "DatabaseFailed", text, warning=True, key=key)
    elif database.phase is DatabasePhase.SKIPPED:
        yield TellUser("DatabaseSkipped", text, warning=True, key=key)


_BAD_ENDS = (Result.FAILED, Result.GONE, Result.REFUSED)


def _of_hooks(old: Entries, new: Entries) -> Iterator[TellUser]:
    """Messages that did not arrive, or that were answered with a no; a run that ends by that says so itself."""
    known = {(entry.name, entry.id, entry.database, entry.result) for entry in old}
    for entry in new:
        if (entry.name, entry.id, entry.database, entry.result) in known:
            continue
        key = f"{entry.run}/{entry.name}/{entry.id or entry.database}/{entry.result}"
        if entry.result is Result.DROPPED and entry.name == EVERY_HOOK:
            yield TellUser("HookMessagesLost", entry.message, warning=True, key=key)
        elif entry.result in _BAD_ENDS:
            about = " ".join(filter(None, (entry.point.value, entry.database, entry.revision)))
            yield TellUser(
                "HookFailed", f"hook {entry.name}, {about}: {entry.message}", warning=True, key=key
            )


def _of_run(old: Status, new: Status, attempts: int, name: str) -> Iterator[TellUser]:
    was_ready, is_ready = old.condition("Ready"), new.condition("Ready")
    if is_ready and is_ready.reason == "GateOpen" and not (was_ready and was_ready.status == "True"):
        key = f"{new.run.id if new.run else ''}/{new.observed_generation}/GateOpen"
        yield TellUser("GateOpen", shorten(is_ready.message, _MESSAGE_CHARACTERS), key=key)
    before, after = old.condition("Succeeded"), new.condition("Succeeded")
    if after is None or (before and (before.status, before.reason) == (after.status, after.reason)):
        return
    if after.reason == "Backfilling" or (
        before and before.reason == "Backfilling" and after.reason == "Migrating"
    ):
        # Told with more detail for the database.
        return
    key = f"{new.run.id if new.run else ''}/{new.observed_generation}/{after.status}/{after.reason}"
    # What happened to a database is told for it; of the run this tells what that means.
    end = of_the_end(new, name) if after.status == "False" else ""
    pause = of_the_pause(new, attempts) if after.reason == "Retrying" else ""
    if end:
        yield TellUser("RunFailed", shorten(end, _MESSAGE_CHARACTERS), warning=True, key=key)
        return
    if pause:
        key = f"{key}/{sum(one.failures for one in new.databases)}"
    text = shorten(pause or after.message, _MESSAGE_CHARACTERS)
    yield TellUser(after.reason, text, warning=after.status == "False", key=key)
