"""What happens in a run, one item for each change that a person wants to be told. Pure.

Items come from two sources: what a runner tells (its events), and what the status says that it did not say before.
The plain and the JSON output print items; the live table shows the state behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from headway_contract import events
from headway_contract.codec import encode
from headway_contract.events import Event
from headway_contract.sentences import counted
from headway_operator.api.hooks import Result
from headway_operator.api.status import DatabasePhase, DatabaseStatus, PlanStatus, Stage, Status
from headway_operator.planner.backfills import finished, record_line
from headway_operator.planner.direction import to_do
from headway_operator.planner.drift import drift_line
from headway_operator.planner.explain import attempt_text
from headway_operator.planner.snapshot import JobProgress


@dataclass(frozen=True)
class Item:
    """One change; ``details`` are for programs, ``message`` is for people."""

    kind: str
    message: str
    database: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    obstacle: str = ""
    """What stands in the way, where something is tried again: the message without the time of the next attempt."""


def items_of_status(old: Status, new: Status, attempts: int) -> tuple[Item, ...]:
    """What the new status says that the old one did not; ``attempts``: how many a database may have."""
    return (
        tuple(_of_run(old, new, attempts))
        + tuple(_of_hooks(old, new))
        + tuple(_of_databases(old, new, attempts))
    )


def item_of_event(
    database: str, event: Event, progress: JobProgress, takes_back: bool = False
) -> Item | None:
    """What a runner told, None when it is nothing for people.

    ``progress`` is that after the event; ``takes_back``: its plan leads down.
    """
    tellers = _TELLERS | _TELLERS_ON_THE_WAY_BACK if takes_back else _TELLERS
    tell = tellers.get(type(event))
    return tell(database, event, progress) if tell is not None else None


def _of_run(old: Status, new: Status, attempts: int) -> Iterator[Item]:
    if new.run is not None and (old.run is None or old.run.id != new.run.id):
        names = ", ".join(database.name for database in new.databases)
        yield Item("RunStarted", f"run {new.run.id} started: {names}", details={"run": new.run.id})
    before, plan = old.plan or PlanStatus(), new.plan or PlanStatus()
    if plan.reason and (plan.reason, plan.attempt) != (before.reason, before.attempt):
        details: dict[str, Any] = {"reason": plan.reason, "attempt": plan.attempt}
        kind = "Retrying" if plan.retry_time else "PlanFailed"
        obstacle = plan.message if plan.retry_time else ""
        text = f"plan: {_again(plan, attempts)}{plan.message}"
        yield Item(kind, text, details=details, obstacle=obstacle)
    elif plan.completion_time and not plan.reason and not before.completion_time:
        revisions, count = plan.revisions or 0, plan.databases or 0
        where = f" in {counted(count, 'database')}" if revisions else ""
        details = {"digest": plan.digest, "revisions": revisions, "databases": count}
        yield Item("Planned", f"plan: {to_do(revisions, new.databases)}{where}", details=details)


def _of_hooks(old: Status, new: Status) -> Iterator[Item]:
    """What hooks answered; that they are about to be asked is no news."""
    known = {(one.name, one.id, one.database): one.result for one in old.hooks}
    for one in new.hooks:
        before = known.get((one.name, one.id, one.database))
        if one.result in (before, Result.PENDING):
            continue
        about = " ".join(filter(None, (one.point.value, one.revision)))
        said = f": {one.message}" if one.message else ""
        details = {"hook": one.name, "point": one.point.value, "result": one.result.value, "id": one.id}
        yield Item(
            "HookAnswered", f"hook {one.name} ({about}) {one.result.lower()}{said}", one.database, details
        )


def _again(one: PlanStatus | DatabaseStatus, attempts: int) -> str:
    """Which attempt follows, and when; a stopped one is followed by itself."""
    which = attempt_text(one.failures, attempts) or "again"
    return f"{which} at {one.retry_time}: " if one.retry_time else ""


def _of_databases(old: Status, new: Status, attempts: int) -> Iterator[Item]:
    for database in new.databases:
        before = old.database(database.name)
        if before is None or _has_moved(before, database):
            item = _of_database(database, attempts)
            if item is not None:
                yield item
        if database.drift is not None and (before is None or before.drift != database.drift):
            yield Item("Drift", drift_line(database.drift), database.name, encode(database.drift))


def _has_moved(before: DatabaseStatus, now: DatabaseStatus) -> bool:
    """To another phase or attempt; that a backfill begins and ends is told by the runner's own events."""
    is_still_working = before.phase.is_working and now.phase.is_working
    has_begun_anew = (before.stage, before.attempt) != (now.stage, now.attempt)
    return has_begun_anew or (before.phase is not now.phase and not is_still_working)


def _of_database(database: DatabaseStatus, attempts: int) -> Item | None:
    details = {"phase": database.phase.value, "attempt": database.attempt, "job": database.job_name}
    if database.phase.is_working:
        which = attempt_text(database.failures, attempts)
        return Item("DatabaseStarted", f"started, {which}" if which else "started", database.name, details)
    if database.phase is DatabasePhase.SUCCEEDED:
        done = database.revisions_done or 0
        what = f"done: {database.message}" if done else "done: nothing to do"
        at = f", now at {database.current_revision}" if database.current_revision else ""
        details |= {"revisions": done, "current": database.current_revision}
        return Item("DatabaseSucceeded", what + at, database.name, details)
    if database.phase is DatabasePhase.PENDING and database.stage is Stage.POST_DEPLOY:
        return Item("DatabaseReady", database.message, database.name, details)
    details |= {"reason": database.reason}
    if database.phase is DatabasePhase.WAITING:
        text = _again(database, attempts) + database.message
        return Item("Retrying", text, database.name, details, obstacle=database.message)
    if database.phase is DatabasePhase.FAILED:
        return Item("DatabaseFailed", f"failed: {database.message}", database.name, details)
    if database.phase is DatabasePhase.SKIPPED:
        return Item("DatabaseSkipped", database.message, database.name, details)
    return None


def _revision_started(
    database: str, event: events.RevisionStarted, _: JobProgress, verb: str = "applying"
) -> Item:
    title = f": {event.title}" if event.title else ""
    message = f"{verb} {event.index}/{event.total} {event.revision}{title}"
    details = {"revision": event.revision, "index": event.index, "total": event.total, "title": event.title}
    return Item("RevisionStarted", message, database, details)


def _revision_applied(
    database: str, event: events.RevisionApplied, _: JobProgress, verb: str = "applied"
) -> Item:
    took = event.milliseconds / 1000
    message = f"{verb} {event.index}/{event.total} {event.revision} ({took:.2f} s)"
    details = {"revision": event.revision, "index": event.index, "total": event.total, "seconds": took}
    return Item("RevisionApplied", message, database, details)


def _lock_awaited(database: str, event: events.LockAwaited, progress: JobProgress) -> Item:
    return Item("LockAwaited", progress.message, database, {"seconds": event.seconds})


def _blocked(database: str, event: events.Blocked, progress: JobProgress) -> Item | None:
    if not event.sentence:
        return None
    return Item("Blocked", progress.message, database, {"seconds": event.seconds})


def _pass_retried(database: str, event: events.PassRetried, progress: JobProgress) -> Item:
    return Item(
        "Retrying", progress.message, database, {"attempt": event.attempt, "seconds": event.wait_seconds}
    )


def _stopping(database: str, event: events.Stopping, progress: JobProgress) -> Item:
    return Item("Stopping", progress.message, database)


def _held(database: str, event: events.Held, progress: JobProgress) -> Item:
    return Item("Held", progress.message or f"goes on with {event.revision}", database)


def _asked(database: str, event: events.Asked, progress: JobProgress) -> Item | None:
    """Once: it is told again and again while nobody answers."""
    return (
        Item("Asked", progress.message, database, {"revision": event.revision}) if not event.seconds else None
    )


def _backfill_started(database: str, event: events.BackfillStarted, progress: JobProgress) -> Item:
    how = f" ({event.strategy}: {event.reason.rstrip('.')})" if event.strategy else ""
    details = {"table": event.table, "rowsDone": event.rows_done, "rowsTotal": event.rows_total}
    return Item("BackfillStarted", progress.message + how, database, details)


def _backfill_progressed(database: str, event: events.BackfillProgressed, progress: JobProgress) -> Item:
    details = {
        "table": event.table,
        "rowsDone": event.rows_done,
        "rowsTotal": event.rows_total,
        "percent": event.percent,
        "rowsPerSecond": event.rows_per_second,
        "etaSeconds": event.eta_seconds,
        "throttledBy": event.throttled_by,
    }
    return Item("BackfillProgressed", progress.message, database, details)


def _backfill_finished(database: str, event: events.BackfillFinished, _: JobProgress) -> Item:
    record = finished(event.record)
    return Item("BackfillFinished", f"backfilled {record_line(record)}", database, encode(record))


def _index_building(database: str, event: events.IndexBuilding, progress: JobProgress) -> Item:
    details = {"index": event.index, "table": event.table, "phase": event.phase, "percent": event.percent}
    return Item("IndexBuilding", progress.message, database, details)


def _notice(database: str, event: events.Notice, _: JobProgress) -> Item:
    return Item("Notice", event.message, database or event.database)


def _comparison_started(database: str, _: events.ComparisonStarted, progress: JobProgress) -> Item:
    return Item("ComparisonStarted", progress.message, database)


def _heartbeat(database: str, event: events.Heartbeat, progress: JobProgress) -> Item | None:
    """Every ten seconds: long revisions are not silent. A backfill tells more, and while it holds the minutes."""
    if progress.backfill is not None:
        return None
    return Item("Working", f"working: {progress.message}", database) if progress.message else None


_TELLERS: dict[type[Event], Callable[[str, Any, JobProgress], Item | None]] = {
    events.RevisionStarted: _revision_started,
    events.RevisionApplied: _revision_applied,
    events.LockAwaited: _lock_awaited,
    events.Blocked: _blocked,
    events.PassRetried: _pass_retried,
    events.Stopping: _stopping,
    events.Held: _held,
    events.Asked: _asked,
    events.BackfillStarted: _backfill_started,
    events.BackfillProgressed: _backfill_progressed,
    events.BackfillFinished: _backfill_finished,
    events.IndexBuilding: _index_building,
    events.Notice: _notice,
    events.ComparisonStarted: _comparison_started,
    events.Heartbeat: _heartbeat,
}
_TELLERS_ON_THE_WAY_BACK: dict[type[Event], Callable[[str, Any, JobProgress], Item | None]] = {
    events.RevisionStarted: partial(_revision_started, verb="taking back"),
    events.RevisionApplied: partial(_revision_applied, verb="took back"),
}

PACED_KINDS = ("BackfillProgressed", "IndexBuilding")
"""For people no more often than every few seconds."""
QUIET_KINDS = ("RevisionStarted",)
"""For programs only: for people the line that follows says the same."""
