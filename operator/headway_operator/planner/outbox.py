"""The messages of ``status.hooks``: what is to be sent, and what came back. Pure.

A message is written here before it is sent, and sent only when it was read from here: so none is lost with the
operator, and after a restart it goes out again under the same id.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from headway_operator.api.hooks import Hook, HookStatus, HookType, Result
from headway_operator.api.migration import Migration
from headway_operator.planner.answers import LONGEST_PAUSE, judged
from headway_operator.planner.deliveries import Delivery, HookAnswer
from headway_operator.planner.explain import moment
from headway_operator.planner.occasions import delivery_for
from headway_operator.planner.room import Entries

BATCH = 16
"""How many messages of one hook are sent, one after the other, before what came of them is written."""


@dataclass(frozen=True)
class Letter:
    """A message and which attempt to send it this is."""

    delivery: Delivery
    attempt: int


@dataclass(frozen=True)
class Batch:
    """Messages that go out in this order, the next one only when the one before has arrived or was given up."""

    lane: str
    """Two batches of one lane are never under way at once."""
    letters: tuple[Letter, ...]


def with_answers(
    entries: Entries, answers: Sequence[HookAnswer], hooks: Mapping[str, Hook], now: datetime
) -> Entries:
    """The messages with what came back since they were written."""
    by_attempt = {(answer.id, answer.attempt): answer.answered for answer in answers}
    done: list[HookStatus] = []
    for entry in entries:
        answered = (
            by_attempt.get((entry.id, entry.attempts + 1)) if entry.id and entry.result.is_open else None
        )
        if answered is None or entry.name not in hooks:
            done.append(entry)
        else:
            patience = 0 if _has_given_up(done, entry) else hooks[entry.name].retries
            done.append(judged(entry, answered, patience, now))
    return tuple(done)


def with_drops(entries: Entries, hooks: Mapping[str, Hook], run: str, is_over: bool) -> Entries:
    """Without open messages that make no sense any more; ``run`` is the present one, ``is_over``: it has ended."""
    gone = {(entry.name, entry.run) for entry in entries if entry.result is Result.GONE}

    def kept(entry: HookStatus) -> HookStatus:
        asks = entry.type is not HookType.NOTIFY
        if not entry.result.is_open or not entry.id:
            return entry
        if entry.name not in hooks:
            return _dropped(entry, "the hook was removed from spec.hooks")
        if (entry.name, entry.run) in gone:
            return _dropped(entry, "the hook wants no more messages of this run")
        if asks and (entry.run != run or is_over):
            return _dropped(entry, "its run is over")
        return entry

    return tuple(map(kept, entries))


def is_known(entries: Entries, message: str) -> bool:
    """Whether there is a message of this id."""
    return any(entry.id == message for entry in entries)


def to_send(
    entries: Entries, hooks: Mapping[str, Hook], migration: Migration, now: datetime
) -> tuple[Batch, ...]:
    """What may go out now: of each hook that only listens in order, of those that are asked each by itself."""
    lanes: dict[str, list[HookStatus]] = {}
    for entry in entries:
        if entry.result.is_open and entry.id and entry.name in hooks:
            lanes.setdefault(lane_of(entry), []).append(entry)
    batches = (
        Batch(lane, tuple(_letters(waiting, hooks, migration, now))) for lane, waiting in lanes.items()
    )
    return tuple(batch for batch in batches if batch.letters)


def lane_of(entry: HookStatus) -> str:
    """The hook's name where order matters, the message's id where it does not."""
    return entry.name if entry.type is HookType.NOTIFY else entry.id


def retry_times(entries: Entries, hooks: Mapping[str, Hook]) -> tuple[str, ...]:
    """When open messages are due that wait."""
    return tuple(
        entry.retry_time
        for entry in entries
        if entry.retry_time and entry.result.is_open and entry.name in hooks
    )


def gone_hooks(entries: Entries, run: str) -> frozenset[str]:
    """Those that want no more messages in this run."""
    return frozenset(entry.name for entry in entries if entry.run == run and entry.result is Result.GONE)


def _letters(
    waiting: Sequence[HookStatus], hooks: Mapping[str, Hook], migration: Migration, now: datetime
) -> Iterator[Letter]:
    for entry in waiting[:BATCH]:
        if not is_due(entry, now):
            return
        yield Letter(delivery_for(hooks[entry.name], entry, migration), entry.attempts + 1)


def is_due(entry: HookStatus, now: datetime) -> bool:
    """Whether its time has come. One that is further away than any pause was written by another clock."""
    due = moment(entry.retry_time)
    return due is None or due <= now or due > now + LONGEST_PAUSE


def _has_given_up(before: Sequence[HookStatus], entry: HookStatus) -> bool:
    """A receiver that the last message could not reach is not tried so hard again."""
    same = [one for one in before if one.name == entry.name and not one.result.is_open]
    return entry.type is HookType.NOTIFY and bool(same) and same[-1].result is Result.FAILED


def _dropped(entry: HookStatus, why: str) -> HookStatus:
    return replace(entry, result=Result.DROPPED, message=f"not sent: {why}", retry_time=None, payload="")
