"""A resource as lines for people: the run, its databases with bars, hooks, events, history, the next step. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import wrap

from headway_cli.board import clock
from headway_cli.seen.happened import Happened
from headway_cli.seen.next_step import next_step
from headway_operator.api.hooks import Result
from headway_operator.api.migration import Migration
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Status
from headway_operator.planner.backfills import amount, is_line_of, record_line, rows_of, span, updated_of
from headway_operator.planner.drift import drift_line
from headway_operator.planner.explain import moment

BAR = 20
"""Columns of a bar."""
HOOKS_SHOWN = 5
HISTORY_SHOWN = 3
BEGINNING = 100
"""Characters of a text that is told in full elsewhere."""
NOTHING = Happened()
MARKS = {
    DatabasePhase.PENDING: ("·", "dim"),
    DatabasePhase.MIGRATING: ("▶", "cyan"),
    DatabasePhase.BACKFILLING: ("▶", "cyan"),
    DatabasePhase.WAITING: ("~", "yellow"),
    DatabasePhase.SUCCEEDED: ("✓", "green"),
    DatabasePhase.FAILED: ("✗", "red"),
    DatabasePhase.SKIPPED: ("-", "dim"),
}


@dataclass(frozen=True)
class Line:
    """Text, and how it looks on a terminal."""

    text: str
    style: str = ""


def lines_of(migration: Migration, now: datetime, happened: Happened = NOTHING) -> Iterator[Line]:
    """The whole resource, and what has happened to it."""
    status = migration.status
    yield from _header(migration, now)
    for database in status.databases:
        yield from _of_database(database, now)
    yield from _of_hooks(status)
    yield from _of_events(happened, now)
    yield from _of_history(status, now)
    step = next_step(migration)
    if step:
        yield Line("")
        yield Line(f"Next: {step}", "bold")


def _header(migration: Migration, now: datetime) -> Iterator[Line]:
    status, run = migration.status, migration.status.run
    revision = f"  {migration.spec.revision or migration.spec.image}" if migration.spec is not None else ""
    yield Line(f"{migration.namespace}/{migration.name}{revision}", "bold")
    if status.observed_generation < migration.generation:
        yield Line("  no operator has seen this generation yet", "yellow")
    if run is not None:
        parts = [f"run {run.id}", status.phase]
        if status.progress is not None and status.progress.summary:
            parts.append(status.progress.summary)
        began, ended = moment(run.start_time), moment(run.completion_time)
        if began is not None:
            parts.append(clock((ended or now) - began))
        yield Line("  " + "  ".join(parts))
    ready = status.condition("Ready")
    if ready is not None and ready.message:
        style = {"True": "green", "False": "red"}.get(ready.status, "")
        yield Line(f"  {ready.message}", style)
    succeeded = status.condition("Succeeded")
    if succeeded is not None and ready is not None and succeeded.message != ready.message:
        yield Line(f"  {succeeded.message}", "red" if succeeded.status == "False" else "")


def _of_database(database: DatabaseStatus, now: datetime) -> Iterator[Line]:
    mark, style = MARKS[database.phase]
    done, total = database.revisions_done or 0, database.revisions_total
    counts = "" if total is None else f"  {bar(done / total if total else 1.0)} {done}/{total}"
    way = " → ".join(dict.fromkeys(filter(None, (database.current_revision, database.target_revision))))
    began, ended = moment(database.start_time), moment(database.completion_time)
    took = f"  {clock((ended or now) - began)}" if began is not None else ""
    yield Line(f"{mark} {database.name}  {database.phase.value.lower()}{counts}  {way}{took}".rstrip(), style)
    backfill = database.backfill
    if backfill is not None:
        what = f"{backfill.table}.{backfill.columns}" if backfill.columns else backfill.operation
        share = "" if backfill.percent is None else f"{bar(backfill.percent / 100)} {backfill.percent}%  "
        yield Line(f"    {what}  {share}{_pace(database)}", "yellow" if backfill.throttled_by else "cyan")
    if database.message and not _is_told(database):
        yield Line(f"    {database.message}", "red" if database.phase is DatabasePhase.FAILED else "")
    left = database.half_done
    if left is not None and database.phase is not DatabasePhase.FAILED:
        yield Line(f"    revision {left.revision} was half done by run {left.run}: {left.message}", "yellow")
    for record in database.backfills:
        yield Line(f"    {record_line(record)}", "dim")
    if database.drift is not None:
        compared = moment(database.drift.compared_time)
        ago = f" ({age(now - compared)} ago)" if compared is not None else ""
        yield Line(f"    {drift_line(database.drift)}{ago}", "yellow" if database.drift.count else "dim")


def _is_told(database: DatabaseStatus) -> bool:
    """The line of its backfill says what its message says; else that names who blocks it, or what it waits for."""
    backfill = database.backfill
    return backfill is not None and is_line_of(database.message, backfill)


def _pace(database: DatabaseStatus) -> str:
    backfill = database.backfill
    assert backfill is not None
    rows = ", ".join(filter(None, (rows_of(backfill), updated_of(backfill))))
    if backfill.throttled_by:
        since = f" for {backfill.throttled_minutes} min" if backfill.throttled_minutes else ""
        return f"{rows}, holds{since}: {backfill.throttled_by.rstrip('.')}"
    rate = f"{amount(backfill.rows_per_second)} rows/s" if backfill.rows_per_second else ""
    left = f"about {span(backfill.eta_seconds)} left" if backfill.eta_seconds is not None else ""
    workers = f"{backfill.workers} sessions" if backfill.workers > 1 else ""
    return ", ".join(filter(None, (rows, rate, left, workers)))


def _of_hooks(status: Status) -> Iterator[Line]:
    """Those of this run, and of an earlier one what has not arrived."""
    run = status.run.id if status.run is not None else ""
    here = ("", run)
    shown = [one for one in status.hooks if one.run in here or one.result is not Result.DELIVERED]
    for hook in shown[-HOOKS_SHOWN:]:
        of_run = "" if hook.run in here else f"of run {hook.run}"
        about = " ".join(filter(None, (hook.point.value, hook.database, hook.revision, of_run)))
        said = f": {hook.message}" if hook.message else ""
        style = "dim" if hook.result is Result.DELIVERED else "yellow"
        yield Line(f"  hook {hook.name} ({about}) {hook.result.value.lower()}{said}", style)


def _of_events(happened: Happened, now: datetime) -> Iterator[Line]:
    """Told by their beginnings: what they say stands above in full, as far as it still holds."""
    if happened.unseen:
        yield Line(f"  {happened.unseen}", "dim")
    for event in happened.events:
        text = f"{age(now - event.time)} ago  {event.reason}: {beginning(event.note)}"
        yield Line(f"  event {text}", "yellow" if event.is_warning else "dim")


def _of_history(status: Status, now: datetime) -> Iterator[Line]:
    current = "" if status.run is None else status.run.id
    for entry in [one for one in status.history if one.run != current][:HISTORY_SHOWN]:
        ended = moment(entry.completion_time)
        ago = f", {age(now - ended)} ago" if ended is not None else ""
        yield Line(f"  before: {entry.run}  {entry.revision}  {entry.result.lower()}{ago}", "dim")


def beginning(text: str) -> str:
    """Whole words of it."""
    return (wrap(text, BEGINNING, max_lines=1, placeholder=" …") or [""])[0]


def bar(share: float) -> str:
    """``█████░░░░░``."""
    full = round(min(max(share, 0.0), 1.0) * BAR)
    return "█" * full + "░" * (BAR - full)


def age(passed: timedelta) -> str:
    """As kubectl tells it: ``42s``, ``7m``, ``3h``, ``2d``."""
    seconds = max(int(passed.total_seconds()), 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
