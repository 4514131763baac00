"""The state of a run as a table shows it: one row for each database. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from headway_operator.api.status import DatabasePhase, DatabaseStatus, PlanStatus, Stage, Status
from headway_operator.planner.explain import attempt_text, moment
from headway_operator.planner.snapshot import BackfillProgress, JobProgress


@dataclass(frozen=True)
class Row:
    """One database. ``done`` of ``total`` revisions; both None until the plan is there."""

    name: str
    phase: DatabasePhase
    done: int | None
    total: int | None
    current: str
    target: str
    message: str
    elapsed: timedelta | None
    backfill: BackfillProgress | None = None
    """That of the revision that runs."""
    waits: bool = False
    """What is left of it waits until the application is rolled out."""
    takes_back: bool = False
    """Its plan leads down."""

    @property
    def fraction(self) -> float:
        """Of its revisions, 0 to 1, with what is done of the backfill in the one that runs."""
        part = self.backfill.percent if self.backfill is not None else None
        return min(((self.done or 0) + (part or 0.0) / 100) / self.total, 1.0) if self.total else 0.0


@dataclass(frozen=True)
class Board:
    """The whole run."""

    title: str
    run: str
    phase: str
    rows: tuple[Row, ...]
    elapsed: timedelta
    note: str = ""
    """What is going on before the first database is worked on."""
    is_over: bool = False
    """The run has ended by itself, and its last words follow."""

    @property
    def databases_done(self) -> int:
        """How many are at their target."""
        return sum(row.phase is DatabasePhase.SUCCEEDED for row in self.rows)

    @property
    def revisions_done(self) -> int:
        """Over all databases."""
        return sum(row.done or 0 for row in self.rows)

    @property
    def revisions_total(self) -> int:
        """Over all databases."""
        return sum(row.total or 0 for row in self.rows)


def board_of(
    title: str,
    names: tuple[str, ...],
    status: Status,
    live: Mapping[str, JobProgress],
    spans: Spans,
    now: datetime,
    attempts: int,
) -> Board:
    """``live`` is the newest progress by Job, which may be ahead of the status; ``attempts``: of a database."""
    return Board(
        title=title,
        run=status.run.id if status.run else "",
        phase=status.phase or "Starting",
        rows=tuple(
            _row(status.database(name) or DatabaseStatus(name), live, spans, now, attempts) for name in names
        ),
        elapsed=now - spans.start,
        note=_note(status.plan, now, attempts),
        is_over=status.run is not None and bool(status.run.completion_time),
    )


def _note(plan: PlanStatus | None, now: datetime, attempts: int) -> str:
    if plan is None or plan.completion_time:
        return ""
    return _again(plan, now, attempts) + (plan.message or "looking at the databases")


def _again(one: PlanStatus | DatabaseStatus, now: datetime, attempts: int) -> str:
    """Which attempt follows, and when."""
    due, which = moment(one.retry_time), attempt_text(one.failures, attempts) or "again"
    return f"{which} in {max(0, int((due - now).total_seconds()))} s: " if due is not None else ""


@dataclass(frozen=True)
class Spans:
    """When the run and each database started and ended, finer than the whole seconds of a status."""

    start: datetime
    databases: Mapping[str, tuple[datetime, datetime | None]]

    def after(self, status: Status, now: datetime) -> Spans:
        """With what this status says for the first time."""
        spans = dict(self.databases)
        for database in status.databases:
            known = spans.get(database.name)
            if known is None and database.start_time and database.attempt:
                known = (now, None)
            if known is not None and known[1] is None and database.phase.is_final:
                known = (known[0], now)
            if known is not None:
                spans[database.name] = known
        return Spans(self.start, spans)


def _row(
    database: DatabaseStatus, live: Mapping[str, JobProgress], spans: Spans, now: datetime, attempts: int
) -> Row:
    began, ended = spans.databases.get(database.name, (None, None))
    progress = live.get(database.job_name, JobProgress(database.job_name))
    is_working = database.phase.is_working
    is_done = database.phase is DatabasePhase.SUCCEEDED
    waits = database.stage is Stage.POST_DEPLOY and database.phase is DatabasePhase.PENDING
    message = database.message
    if is_working and progress.message:
        message = ": ".join(filter(None, (attempt_text(database.failures, attempts), progress.message)))
    is_filling = is_working and progress.backfill is not None
    return Row(
        name=database.name,
        phase=DatabasePhase.BACKFILLING if is_filling else database.phase,
        done=database.revisions_done if is_done or waits else _done(database, progress),
        total=database.revisions_total if database.revisions_total is not None else progress.revisions_total,
        current=("" if is_done else ", ".join(progress.current)) or database.current_revision,
        target=database.target_revision,
        message=_again(database, now, attempts) + message,
        elapsed=(ended or now) - began if began else None,
        backfill=progress.backfill if is_working else None,
        waits=waits,
        takes_back=database.takes_back,
    )


def _done(database: DatabaseStatus, progress: JobProgress) -> int | None:
    """The runner counts from where its attempt began, the status from where the run did."""
    done, total = progress.revisions_done, progress.revisions_total
    if done is None or total is None:
        return database.revisions_done
    left = database.left_by_its_job + total - done
    return done if database.revisions_total is None else max(database.revisions_total - left, 0)


def clock(span: timedelta) -> str:
    """``0:07``, ``12:34``, ``1:02:03``."""
    seconds = int(span.total_seconds())
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
