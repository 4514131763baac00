"""What has happened in a run that hooks are told of, in order, and its way into the messages of the status. Pure.

What happens once (a database is done, the run has ended) is noted in the very write that says so, in ``run.unsent``;
revisions are in ``databases[].untold`` from the plan on. Both give their messages when there is room for them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from headway_contract.result import shorten
from headway_operator.api.hooks import Hook, HookStatus, HookType, Point, Result
from headway_operator.api.migration import Migration
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Run, Status
from headway_operator.planner.applied import latest_of, newly_applied
from headway_operator.planner.bounds import UNTOLD_KEPT
from headway_operator.planner.consent import Desk
from headway_operator.planner.explain import stamp
from headway_operator.planner.occasions import SENTENCE_CHARACTERS, Occasion, entry_for, message_id
from headway_operator.planner.outbox import is_known
from headway_operator.planner.room import Entries, Room
from headway_operator.planner.snapshot import JobView, Snapshot, Stage
from headway_operator.planner.unheard import has_told, landed

SUPERSEDED = "Superseded"
EVERY_HOOK = "all"
"""In place of a hook's name, where several are meant."""
_RUN_POINTS = (Point.ON_APPROVAL_REQUIRED, Point.ON_READY, Point.ON_FAILURE, Point.AFTER_MIGRATION)
_SEPARATOR = "/"


@dataclass(frozen=True)
class Told:
    """The run and its databases with what of them is still to be told, and the messages."""

    run: Run
    databases: tuple[DatabaseStatus, ...]
    entries: Entries


def listens(hooks: tuple[Hook, ...], point: Point, *types: HookType) -> bool:
    """Whether any hook (of these types) stands at this point."""
    return any(point in hook.points and (not types or hook.type in types) for hook in hooks)


def with_revisions(
    database: DatabaseStatus, current: Iterable[str], revisions: Iterable[str], hooks: tuple[Hook, ...]
) -> DatabaseStatus:
    """The database with the revisions of its plan that hooks are still to be told of, after those of a run before it
    that turn out to be applied. ``current``: where the plan found it.
    """
    kept = tuple(dict.fromkeys(revisions))[:UNTOLD_KEPT]
    known = landed(database, current, kept)
    after, before = (
        (*(one for one in earlier if one in known), *kept) for earlier in (database.untold, database.unasked)
    )
    return replace(
        database,
        untold=after if listens(hooks, Point.AFTER_REVISION) else (),
        unasked=before if listens(hooks, Point.BEFORE_REVISION, HookType.NOTIFY) else (),
    )


def has_begun(database: DatabaseStatus) -> bool:
    """Whether a Job of this run has worked on it, before the gate or behind it."""
    return bool(database.attempt or database.start_time)


def with_asked(
    desk: Desk, occasions: tuple[Occasion, ...], migration: Migration, status: Status, now: str
) -> tuple[Entries, frozenset[str]]:
    """The messages, with those that must be there before something begins, and the ids of all that it waits for.

    What finds no room is asked later, for it waits; nothing that comes later goes before it.
    """
    assert status.run is not None
    room, entries, needed = Room.of(status, desk.by_name), desk.entries, frozenset[str]()
    for occasion in occasions:
        hooks = {message_id(desk.uid, desk.run, one.name, occasion): one for one in desk.concerned(occasion)}
        if not room.has_for_questions(entries, needed | hooks.keys()):
            break
        needed |= hooks.keys()
        for message, hook in hooks.items():
            if not is_known(entries, message):
                entries += (entry_for(hook, occasion, migration, status.run, status, now),)
    return entries, needed


def with_happenings(
    snapshot: Snapshot, desk: Desk, old: Status, new: Status, jobs: tuple[JobView, ...]
) -> Told:
    """What the new status says that the old one did not; ``jobs`` are those of its run."""
    assert new.run is not None
    same = old.run is not None and old.run.id == new.run.id
    earlier = old if same else Status()
    unsent = old.run.unsent if same and old.run is not None else ()
    if new.run.id == desk.run:
        # Of a run that has not begun, the conditions of the one before it tell: they are no news of that.
        unsent += tuple(_news(earlier, new, desk.hooks))
    writer = _Writer(snapshot, desk, new, desk.entries)
    databases = []
    for database in new.databases:
        databases.append(writer.tell_revisions(database, jobs))
        unsent = writer.tell_noted(unsent, Point.AFTER_DATABASE, database.name)
    for point in _RUN_POINTS:
        unsent = writer.tell_noted(unsent, point)
    return Told(replace(new.run, unsent=unsent), tuple(databases), writer.entries)


@dataclass(frozen=True)
class LastWords:
    """The messages with those of a run that is over, and its databases with what of them is left open."""

    entries: Entries
    unheard: tuple[DatabaseStatus, ...] = ()


def with_last_words(snapshot: Snapshot, desk: Desk, old: Status, jobs: tuple[JobView, ...]) -> LastWords:
    """What is still to be told of a run that another one takes over from; what finds no room is said to be lost."""
    if old.run is None:
        return LastWords(desk.entries)
    writer = _Writer(snapshot, replace(desk, run=old.run.id), old, desk.entries)
    left, unheard = 0, []
    for database in old.databases:
        own = _of(jobs, database.name)
        told = writer.tell_revisions(database, jobs)
        lost = newly_applied(told, own, None)
        left += len(lost)
        if not has_told(told, own):
            unheard.append(replace(told, untold=tuple(one for one in told.untold if one not in lost)))
    unsent = old.run.unsent
    # A Job may have been created in a look whose status was never written.
    begun = any(map(has_begun, old.databases)) or any(job.stage is not Stage.PLAN for job in jobs)
    if not old.run.completion_time and begun and listens(desk.hooks, Point.AFTER_MIGRATION):
        unsent += (str(Point.AFTER_MIGRATION),)
    for note in unsent:
        point, _, name = note.partition(_SEPARATOR)
        left += len(writer.tell_noted((note,), Point(point), name))
    lost_notice = (_lost(old.run.id, left, stamp(snapshot.now)),) if left else ()
    return LastWords(writer.entries + lost_notice, tuple(unheard))


def _lost(run: str, count: int, now: str) -> HookStatus:
    return HookStatus(
        name=EVERY_HOOK,
        type=HookType.NOTIFY,
        point=Point.AFTER_MIGRATION,
        result=Result.DROPPED,
        id=f"{run}.lost",
        run=run,
        message=f"a new run began while messages could not be delivered: of {count} more nobody was told",
        last_time=now,
    )


def _news(old: Status, new: Status, hooks: tuple[Hook, ...]) -> Iterator[str]:
    """Notes of what has happened between the two and has listeners."""
    for database in new.databases:
        before = old.database(database.name)
        was_done = before is not None and before.phase is DatabasePhase.SUCCEEDED
        if database.phase is DatabasePhase.SUCCEEDED and not was_done and has_begun(database):
            yield from _noted(hooks, Point.AFTER_DATABASE, database.name)
    if _asks_approval(new) and not _asks_approval(old):
        yield from _noted(hooks, Point.ON_APPROVAL_REQUIRED)
    if _is(new, "Ready", "True") and not _is(old, "Ready", "True"):
        yield from _noted(hooks, Point.ON_READY)
    has_ended = bool(new.run and new.run.completion_time) and not (old.run and old.run.completion_time)
    # A run that was held up, such as by a quota, has failed only when it ends so.
    if _is(new, "Succeeded", "False") and (has_ended or not _is(old, "Succeeded", "False")):
        yield from _noted(hooks, Point.ON_FAILURE)
    if has_ended and any(map(has_begun, new.databases)):
        yield from _noted(hooks, Point.AFTER_MIGRATION)


def _noted(hooks: tuple[Hook, ...], point: Point, name: str = "") -> Iterator[str]:
    if listens(hooks, point):
        yield _SEPARATOR.join(filter(None, (point.value, name)))


def _asks_approval(status: Status) -> bool:
    reconciling = status.condition("Reconciling")
    return reconciling is not None and reconciling.reason == "WaitingForApproval"


def _is(status: Status, kind: str, value: str) -> bool:
    condition = status.condition(kind)
    return condition is not None and condition.status == value


def _of(jobs: tuple[JobView, ...], database: str) -> tuple[JobView, ...]:
    return tuple(job for job in jobs if job.database == database and job.stage is not Stage.PLAN)


class _Writer:
    """Makes messages while there is room. Nothing that comes later goes before what found none."""

    def __init__(self, snapshot: Snapshot, desk: Desk, status: Status, entries: Entries) -> None:
        self.entries = entries
        self._snapshot = snapshot
        self._desk = desk
        self._status = status
        self._is_full = False

    def tell_revisions(self, database: DatabaseStatus, jobs: tuple[JobView, ...]) -> DatabaseStatus:
        """The database without those of which the messages are made, before and after each in turn.

        In the order of the plan: what is not known to be applied yet holds those behind it, until the database has
        failed and nothing more comes.
        """
        if not database.untold and not database.unasked:
            return database
        own = _of(jobs, database.name)
        latest = latest_of(own)
        progress = (
            self._snapshot.progress_of(latest.name) if latest is not None and latest.is_active else None
        )
        order = database.untold or database.unasked
        applied = set(newly_applied(replace(database, untold=order), own, progress))
        begun = applied | ({progress.revision, progress.asks} if progress is not None else set())
        asked, told = set(), set()
        for revision in order:
            if database.phase is DatabasePhase.FAILED and revision not in applied:
                continue
            if revision in begun and revision in database.unasked:
                if not self._tell(Occasion(Point.BEFORE_REVISION, database.name, revision), HookType.NOTIFY):
                    break
                asked.add(revision)
            if revision in applied and revision in database.untold:
                if not self._tell(Occasion(Point.AFTER_REVISION, database.name, revision)):
                    break
                told.add(revision)
            if revision not in applied:
                break
        return replace(
            database,
            untold=tuple(one for one in database.untold if one not in told),
            unasked=tuple(one for one in database.unasked if one not in asked),
        )

    def tell_noted(self, unsent: tuple[str, ...], point: Point, name: str = "") -> tuple[str, ...]:
        """The notes that are left."""
        note = _SEPARATOR.join(filter(None, (point.value, name)))
        if note not in unsent or not self._tell(self._occasion(point, name)):
            return unsent
        return tuple(one for one in unsent if one != note)

    def _tell(self, occasion: Occasion, *types: HookType) -> bool:
        run = self._status.run
        assert run is not None
        hooks = [
            hook
            for hook in self._desk.listeners(occasion)
            if (not types or hook.type in types) and not self._knows(hook, run, occasion)
        ]
        room = Room.of(self._status, self._desk.by_name)
        self._is_full = self._is_full or (bool(hooks) and not room.has_for(self.entries, len(hooks)))
        if self._is_full:
            return False
        now = stamp(self._snapshot.now)
        for hook in hooks:
            made = entry_for(hook, occasion, self._snapshot.migration, run, self._status, now)
            self.entries += (made,)
        return True

    def _knows(self, hook: Hook, run: Run, occasion: Occasion) -> bool:
        return is_known(self.entries, message_id(self._desk.uid, run.id, hook.name, occasion))

    def _occasion(self, point: Point, name: str) -> Occasion:
        status, run = self._status, self._status.run
        facts: dict[str, Any] = {}
        what = ""
        if point is Point.ON_FAILURE:
            failed = status.condition("Succeeded")
            if failed is not None:
                facts["failure"] = {
                    "reason": failed.reason,
                    "message": shorten(failed.message, SENTENCE_CHARACTERS),
                }
                # A run that was only held up, such as by a quota, goes on, and may come to a failure of its own.
                what = "" if run is not None and run.completion_time else failed.reason
        if point is Point.AFTER_MIGRATION and run is not None:
            facts["result"] = run.result or SUPERSEDED
        if point is Point.ON_APPROVAL_REQUIRED:
            asked = status.condition("Reconciling")
            what = status.plan.digest if status.plan is not None else ""
            facts["message"] = shorten(asked.message, SENTENCE_CHARACTERS) if asked is not None else ""
        return Occasion(point, name, what=what, facts=facts)
