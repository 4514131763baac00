"""Hooks in a decision: what came back is put in its place, what has to wait waits, what happened becomes messages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from headway_operator.api.hooks import Point
from headway_operator.api.reasons import reason_of
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Status
from headway_operator.planner.actions import StartJob
from headway_operator.planner.consent import Desk, Passage, Refusal, let_through
from headway_operator.planner.deliveries import Delivery
from headway_operator.planner.explain import explain, moment, stamp
from headway_operator.planner.follow import Standing
from headway_operator.planner.happenings import has_begun, with_asked, with_happenings, with_last_words
from headway_operator.planner.lifecycle import Fact, moved
from headway_operator.planner.occasions import Occasion
from headway_operator.planner.outbox import (
    Batch,
    retry_times,
    to_send,
    with_answers,
    with_drops,
)
from headway_operator.planner.room import Entries, Room
from headway_operator.planner.run import CurrentRun
from headway_operator.planner.skips import with_skips
from headway_operator.planner.snapshot import JobView, Snapshot, Stage
from headway_operator.planner.throttles import questions, throttled, with_states
from headway_operator.planner.unheard import with_unheard

WRITTEN = timedelta(milliseconds=50)
"""A message that was just written may go out with the next look."""


@dataclass(frozen=True)
class Consents:
    """What the hooks let begin, what must be told first, and which databases wait for that, with the reason."""

    passage: Passage
    may_go: Mapping[str, str]
    """By database the revision that its run may begin."""
    occasions: tuple[Occasion, ...]
    held: Mapping[str, str]
    refused: tuple[tuple[JobView, str], ...]
    """Jobs that are to stop before the revision that they ask for, and why."""


NOBODY_ASKS = Consents(Passage(()), {}, (), {}, ())


@dataclass(frozen=True)
class Post:
    """What is to be written of messages, and what goes out now."""

    status: Status
    messages: tuple[Batch, ...]
    questions: tuple[Delivery, ...]
    wakes: tuple[timedelta, ...]
    given_way: Entries
    """Those that the status had room for no more."""


def desk_of(snapshot: Snapshot, run: CurrentRun) -> Desk:
    """The messages as they were read, with what came back since."""
    migration, known = snapshot.migration, snapshot.migration.status.run
    hooks = {hook.name: hook for hook in run.spec.hooks}
    is_over = known is not None and known.id == run.id and bool(known.completion_time)
    entries = with_answers(migration.status.hooks, snapshot.answers, hooks, snapshot.now)
    return Desk(migration.uid, run.id, run.spec.hooks, with_drops(entries, hooks, run.id, is_over))


def with_refusals(snapshot: Snapshot, run: CurrentRun, standing: Standing, desk: Desk) -> Standing:
    """A database that is not let begin, or not let go on, has failed; what was applied before stays."""
    refusals = tuple(desk.refusals())
    if not refusals or not standing.plan_is_done:
        return standing
    databases = tuple(_with_refusal(snapshot, run, database, refusals) for database in standing.databases)
    return replace(standing, databases=with_skips(run, databases))


def ask(
    snapshot: Snapshot, run: CurrentRun, standing: Standing, desk: Desk, starts: tuple[StartJob, ...]
) -> Consents:
    """Who agrees to these Jobs, and to the revisions that running ones ask for."""
    migrating = [job for job in run.jobs if job.stage is not Stage.PLAN]
    worked_on = {job.database for job in migrating}
    worked_on |= {one.name for one in standing.databases if has_begun(one)}
    fresh = frozenset(one.name for one in standing.databases) - worked_on
    passage = let_through(desk, starts, bool(worked_on), fresh)
    occasions, held = list(passage.occasions), dict(passage.held)
    may_go, refused = {}, []
    for job, occasion in _asking(snapshot, migrating):
        no = next((one for one in desk.refusals() if one.database == job.database), None)
        if no is not None:
            refused.append((job, no.sentence))
        elif desk.may_pass(occasion):
            may_go[job.database] = occasion.revision
        else:
            occasions.append(occasion)
            held[job.database] = f"{desk.held_by(occasion)}, before revision {occasion.revision}"
    return Consents(passage, may_go, tuple(occasions), held, tuple(refused))


def throttles_of(snapshot: Snapshot, desk: Desk, standing: Standing) -> Mapping[str, str]:
    """By database what holds its backfill, '' when nothing does; without those of which that is not known yet."""
    texts = {
        one.name: throttled(desk.by_name, desk.entries, snapshot.polled, desk.run, one.name)
        if one.phase is DatabasePhase.BACKFILLING
        else ""
        for one in standing.databases
    }
    return {name: text for name, text in texts.items() if text is not None}


def with_holds(standing: Standing, held: Mapping[str, str]) -> Standing:
    """The same, saying of each database that waits for a hook which one that is."""
    databases = tuple(
        replace(one, message=held[one.name]) if one.name in held else one for one in standing.databases
    )
    return replace(standing, databases=databases, held=tuple(held))


def post(snapshot: Snapshot, desk: Desk, occasions: tuple[Occasion, ...], status: Status) -> Post:
    """The status with the messages of all that it says; what goes out is only what was read, thus what is written."""
    migration, now = snapshot.migration, stamp(snapshot.now)
    old, jobs = migration.status, snapshot.jobs
    messages = to_send(desk.entries, desk.by_name, migration, snapshot.now)
    asked: tuple[Delivery, ...] = ()
    read = desk.entries
    given_way: Entries = ()
    if status.run is not None:
        run = status.run.id
        if old.run is not None and old.run.id != run:
            last = with_last_words(snapshot, desk, old, _of_run(jobs, old.run.id))
            desk, status = replace(desk, entries=last.entries), _with_unheard(status, last.unheard)
        told = with_happenings(snapshot, desk, old, status, _of_run(jobs, run))
        desk = replace(desk, entries=told.entries)
        entries, needed = desk.entries, frozenset[str]()
        if run == desk.run:
            entries, needed = with_asked(desk, occasions, migration, status, now)
        entries = with_states(entries, desk.by_name, snapshot.polled, status, now)
        held = Room.of(status, desk.by_name).trimmed(entries, needed)
        kept = set(map(id, held))
        given_way = tuple(entry for entry in entries if entry.id and id(entry) not in kept)
        status = replace(status, run=told.run, databases=told.databases, hooks=held)
        asked = questions(desk.hooks, status.hooks, migration, status, now)
    else:
        status = replace(status, hooks=read)
    wakes = tuple(_wakes(snapshot, desk, read, status.hooks, bool(messages)))
    return Post(status, messages, asked, wakes, given_way)


def _with_unheard(status: Status, unheard: tuple[DatabaseStatus, ...]) -> Status:
    """A run that has just begun, with what the one before it has left open."""
    open_ones = {one.name: one for one in unheard}
    databases = (
        with_unheard(one, open_ones[one.name]) if one.name in open_ones else one for one in status.databases
    )
    return replace(status, databases=tuple(databases))


def _with_refusal(
    snapshot: Snapshot, run: CurrentRun, database: DatabaseStatus, refusals: tuple[Refusal, ...]
) -> DatabaseStatus:
    if database.phase not in (DatabasePhase.PENDING, DatabasePhase.WAITING):
        return database
    for refusal in refusals:
        if refusal.point is Point.BEFORE_MIGRATION or refusal.database == database.name:
            return replace(
                database,
                phase=moved(database.phase, Fact.GAVE_UP),
                reason=refusal.reason,
                message=explain(reason_of(refusal.reason), refusal.sentence, run.migration.name),
                retry_time=None,
                completion_time=stamp(snapshot.now),
            )
    return database


def _asking(snapshot: Snapshot, jobs: list[JobView]) -> Iterator[tuple[JobView, Occasion]]:
    """Running Jobs that wait to be let go, and for what."""
    for job in jobs:
        progress = snapshot.progress_of(job.name)
        is_told_to_stop = job.pod is not None and job.pod.control.stop
        if (
            progress is not None
            and progress.asks
            and job.is_active
            and not job.deleting
            and not is_told_to_stop
        ):
            yield job, Occasion(Point.BEFORE_REVISION, job.database, progress.asks)


def _of_run(jobs: tuple[JobView, ...], run: str) -> tuple[JobView, ...]:
    return tuple(job for job in jobs if job.run == run)


def _wakes(
    snapshot: Snapshot, desk: Desk, read: Entries, written: Entries, is_sending: bool
) -> Iterator[timedelta]:
    """When to look again because of messages: at once for what is new, else when the next one is due."""
    known = {entry.id for entry in read}
    if any(entry.id not in known and entry.result.is_open for entry in written):
        yield WRITTEN
    for text in retry_times(written, desk.by_name):
        due = moment(text)
        if due is not None:
            yield max(due - snapshot.now, WRITTEN)
    if is_sending:
        yield timedelta(seconds=60)
