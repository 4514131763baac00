"""Throttle hooks: asked again and again during a backfill, whether it may go on. Pure.

Rule: what is not known is not healthy. A question that went wrong holds the backfill as a "no" does, unless the
hook's failurePolicy is Ignore. What they say is no message that could be lost: whoever forgets it asks again, and
what was told to the Job stays until the answers are there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from headway_operator.api.hooks import Hook, HookStatus, HookType, Point, Result
from headway_operator.api.migration import Migration
from headway_operator.api.status import DatabasePhase, Status
from headway_operator.planner.deliveries import Answer, Answered, Delivery, Polled
from headway_operator.planner.occasions import question_for
from headway_operator.planner.outbox import gone_hooks
from headway_operator.planner.room import Entries

MESSAGE_CHARACTERS = 300
_SAYS_NO = (Answer.NOT_YET, Answer.REFUSED)


def throttled(
    hooks: Mapping[str, Hook], entries: Entries, polled: tuple[Polled, ...], run: str, database: str
) -> str | None:
    """Which hook holds the backfill of this database and what it says, without a full stop; '' when none does.

    None when none is known to, but one of them has not answered yet.
    """
    asked = {hook.name for hook in hooks.values() if hook.type is HookType.THROTTLE}
    answered = set(gone_hooks(entries, run))
    for one in polled:
        hook = hooks.get(one.hook)
        if hook is None or _database_of(one.subject, run) != database:
            continue
        if _holds(hook, one.answered):
            return f"hook {hook.name} says no: {_said(one.answered)}"
        answered.add(one.hook)
    return "" if asked <= answered else None


def questions(
    hooks: tuple[Hook, ...], entries: Entries, migration: Migration, status: Status, now: str
) -> tuple[Delivery, ...]:
    """What the Throttles are to be asked at present."""
    run = status.run
    if run is None or run.completion_time:
        return ()
    gone = gone_hooks(entries, run.id)
    return tuple(
        question_for(hook, database, migration, run, status, now)
        for database in status.databases
        if database.phase is DatabasePhase.BACKFILLING
        for hook in hooks
        if hook.type is HookType.THROTTLE and hook.name not in gone
    )


def with_states(
    entries: Entries, hooks: Mapping[str, Hook], polled: tuple[Polled, ...], status: Status, now: str
) -> Entries:
    """The messages with the present state of each Throttle, which changes only when what it says does."""
    run = status.run
    if run is None:
        return entries
    states = {(state.name, state.database): state for state in _states(hooks, polled, run.id)}
    kept = [
        _fresh(entry, states.pop((entry.name, entry.database), None), now) if _is_state(entry) else entry
        for entry in entries
        if not _is_state(entry) or _is_current(entry, status)
    ]
    return tuple(kept) + tuple(replace(state, last_time=now) for state in states.values())


def _is_state(entry: HookStatus) -> bool:
    return entry.type is HookType.THROTTLE and not entry.id


def _is_current(entry: HookStatus, status: Status) -> bool:
    """Of a backfill that goes on, or of a hook that is to be left alone for the rest of the run."""
    database = status.database(entry.database)
    is_filling = database is not None and database.phase is DatabasePhase.BACKFILLING
    same_run = status.run is not None and entry.run == status.run.id
    return same_run and (is_filling or entry.result is Result.GONE)


def _fresh(entry: HookStatus, state: HookStatus | None, now: str) -> HookStatus:
    if state is None or (entry.result, entry.message) == (state.result, state.message):
        return entry
    return replace(state, last_time=now)


def _states(hooks: Mapping[str, Hook], polled: tuple[Polled, ...], run: str) -> Iterator[HookStatus]:
    for one in polled:
        hook, database = hooks.get(one.hook), _database_of(one.subject, run)
        if hook is None or not database:
            continue
        holds = _holds(hook, one.answered)
        result = Result.WAITING if holds else Result.DELIVERED
        if one.answered.answer is Answer.GONE:
            result = Result.GONE
        elif not holds and one.answered.answer is not Answer.ACCEPTED:
            result = Result.FAILED
        message = "" if result is Result.DELIVERED else _said(one.answered)
        yield HookStatus(
            hook.name,
            HookType.THROTTLE,
            Point.DURING_BACKFILL,
            result,
            run=run,
            database=database,
            message=message,
        )


def _holds(hook: Hook, answered: Answered) -> bool:
    """One that is gone has nothing to say any more."""
    if answered.answer in (Answer.ACCEPTED, Answer.GONE):
        return False
    return answered.answer in _SAYS_NO or hook.must_answer


def _said(answered: Answered) -> str:
    said = answered.sentence or (f"HTTP {answered.status}" if answered.status else answered.answer.value)
    return said[:MESSAGE_CHARACTERS].rstrip(".")


def _database_of(subject: str, run: str) -> str:
    """``RUN/DATABASE/REVISION``."""
    parts = subject.split("/")
    return parts[1] if len(parts) > 1 and parts[0] == run else ""
