"""From a runner's events to the one line of progress that people see. Pure: a table of what each event means."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from headway_contract import events
from headway_contract.events import Event
from headway_contract.wire import Envelope
from headway_operator.planner.backfills import line
from headway_operator.planner.notices import MOST_NOTICES
from headway_operator.planner.snapshot import BackfillProgress, JobProgress

ALMOST = 99.0
"""What a backfill that begins again is called at most: it is not complete."""


def told(progress: JobProgress, envelope: Envelope) -> JobProgress:
    """The progress after this event; an event that was seen before changes nothing."""
    if envelope.sequence <= progress.sequence:
        return progress
    tell = _TELLERS.get(type(envelope.event))
    seen = progress if tell is None else tell(progress, envelope.event)
    return replace(seen, sequence=envelope.sequence)


def _planned(progress: JobProgress, event: events.Planned) -> JobProgress:
    total = event.count or len(event.revisions)
    return replace(progress, current=event.current, revisions_done=0, revisions_total=total)


def _lock_awaited(progress: JobProgress, event: events.LockAwaited) -> JobProgress:
    waited = f", since {event.seconds:.0f} s" if event.seconds >= 1 else ""
    holder = f" ({event.holder})" if event.holder else ""
    return replace(progress, message=f"another run holds the migration lock: waiting for it{waited}{holder}")


def _lock_acquired(progress: JobProgress, event: events.LockAcquired) -> JobProgress:
    return replace(progress, message="")


def _steered(progress: JobProgress, event: events.Steered) -> JobProgress:
    """A pause that is taken back before it was reached leaves the line of the revision."""
    if event.pause:
        return replace(progress, message=f"pauses at the next safe point: {event.pause.rstrip('.')}")
    return _of_the_revision(progress) if progress.message.startswith("pauses at") else progress


def _held(progress: JobProgress, event: events.Held) -> JobProgress:
    if not event.reason:
        return replace(progress, message="")
    return replace(progress, message=f"paused before revision {event.revision}: {event.reason.rstrip('.')}")


def _asked(progress: JobProgress, event: events.Asked) -> JobProgress:
    title = f" ({event.title})" if event.title else ""
    message = f"asks whether revision {event.revision}{title} may go"
    return replace(progress, asks=event.revision, message=message)


def _backfill_started(progress: JobProgress, event: events.BackfillStarted) -> JobProgress:
    done = 100 * event.rows_done / event.rows_total if event.rows_total else 0.0
    begun = BackfillProgress(
        event.operation, event.table, event.columns, event.rows_done, event.rows_total, min(done, ALMOST)
    )
    return replace(progress, backfill=begun, message=line(begun))


def _backfill_progressed(progress: JobProgress, event: events.BackfillProgressed) -> JobProgress:
    known = progress.backfill
    is_known = known is not None and known.operation == event.operation
    shown = BackfillProgress(
        operation=event.operation,
        table=event.table,
        columns=known.columns if known is not None and is_known else "",
        rows_done=event.rows_done,
        rows_total=event.rows_total,
        percent=_further(known.percent if known is not None and is_known else None, event.percent),
        rows_per_second=event.rows_per_second,
        eta_seconds=event.eta_seconds,
        throttled_by=event.throttled_by,
        throttled_seconds=event.throttled_seconds,
        workers=event.workers,
    )
    return replace(progress, backfill=shown, message=line(shown))


def _further(before: float | None, now: float | None) -> float | None:
    """What an earlier run had done is told from its rows until the runner tells its own."""
    return now if before is None or now is None else max(before, now)


def _backfill_finished(progress: JobProgress, event: events.BackfillFinished) -> JobProgress:
    return _of_the_revision(replace(progress, backfill=None, records=(*progress.records, event.record)))


def _index_building(progress: JobProgress, event: events.IndexBuilding) -> JobProgress:
    waits = f", waits for {event.waits_for.rstrip('.')}" if event.waits_for else ""
    phase = f": {event.phase} {event.percent:.0f}%" if event.phase else ""
    return replace(progress, message=f"building index {event.index} on {event.table}{phase}{waits}")


def _of_the_revision(progress: JobProgress) -> JobProgress:
    """The line of the revision that runs."""
    done, total = (progress.revisions_done or 0) + 1, progress.revisions_total
    return replace(progress, message=f"revision {done} of {total}, {progress.revision}")


def _revision_started(progress: JobProgress, event: events.RevisionStarted) -> JobProgress:
    title = f": {event.title}" if event.title else ""
    return replace(
        progress,
        backfill=None,
        asks="",
        revision=event.revision,
        revisions_done=event.index - 1,
        revisions_total=event.total,
        message=f"revision {event.index} of {event.total}, {event.revision}{title}",
    )


def _revision_applied(progress: JobProgress, event: events.RevisionApplied) -> JobProgress:
    # With several heads one applied revision does not tell what the others are now.
    is_one_line = event.committed and len(progress.current) <= 1
    if event.committed:
        applied = (*progress.applied, event.revision)
        progress = replace(progress, applied=applied, left=event.total - event.index)
    return replace(
        progress,
        backfill=None,
        current=(event.revision,) if is_one_line else progress.current,
        revisions_done=event.index,
        revisions_total=event.total,
    )


def _blocked(progress: JobProgress, event: events.Blocked) -> JobProgress:
    """When it goes on, the line tells of the revision again."""
    if event.sentence:
        return replace(progress, message=f"{event.sentence.rstrip('.')}, since {event.seconds:.0f} s")
    return _of_the_revision(progress)


def _pass_retried(progress: JobProgress, event: events.PassRetried) -> JobProgress:
    pause = f"again in {event.wait_seconds:.0f} s (try {event.attempt + 1})"
    return replace(progress, backfill=None, asks="", message=f"{event.reason.rstrip('.')}: {pause}")


def _verified(progress: JobProgress, event: events.Verified) -> JobProgress:
    return replace(progress, current=event.current)


def _stopping(progress: JobProgress, event: events.Stopping) -> JobProgress:
    why = f": {event.reason}" if event.reason else ""
    return replace(progress, message=f"stops at the next safe point{why}")


def _notice(progress: JobProgress, event: events.Notice) -> JobProgress:
    progress = replace(progress, message=event.message)
    if event in progress.notices:
        return progress
    if len(progress.notices) >= MOST_NOTICES:
        return replace(progress, has_further_notices=True)
    return replace(progress, notices=(*progress.notices, event))


def _comparison_started(progress: JobProgress, event: events.ComparisonStarted) -> JobProgress:
    return replace(progress, message="compares the database with the models")


_TELLERS: dict[type[Event], Callable[[JobProgress, Any], JobProgress]] = {
    events.Planned: _planned,
    events.LockAwaited: _lock_awaited,
    events.LockAcquired: _lock_acquired,
    events.RevisionStarted: _revision_started,
    events.RevisionApplied: _revision_applied,
    events.Blocked: _blocked,
    events.PassRetried: _pass_retried,
    events.Verified: _verified,
    events.Stopping: _stopping,
    events.Steered: _steered,
    events.Held: _held,
    events.Asked: _asked,
    events.BackfillStarted: _backfill_started,
    events.BackfillProgressed: _backfill_progressed,
    events.BackfillFinished: _backfill_finished,
    events.IndexBuilding: _index_building,
    events.Notice: _notice,
    events.ComparisonStarted: _comparison_started,
}
