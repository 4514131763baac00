"""What an answer means for a message: it is done, it is asked again later, or it is given up. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from headway_operator.api.hooks import HookStatus, HookType, Result
from headway_operator.planner.backoff import pause_before_next
from headway_operator.planner.deliveries import Answer, Answered
from headway_operator.planner.explain import stamp

LONGEST_POLL = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=1)
"""However long a receiver asks us to wait."""
MESSAGE_CHARACTERS = 500

_NOTIFY, _CHECK, _GATE = HookType.NOTIFY, HookType.CHECK, HookType.GATE

MEANINGS: dict[tuple[HookType, Answer], Result] = {
    (_NOTIFY, Answer.ACCEPTED): Result.DELIVERED,
    (_NOTIFY, Answer.NOT_YET): Result.FAILED,
    (_NOTIFY, Answer.REFUSED): Result.FAILED,
    (_NOTIFY, Answer.GONE): Result.GONE,
    (_NOTIFY, Answer.TRY_LATER): Result.PENDING,
    (_NOTIFY, Answer.ERROR): Result.PENDING,
    (_NOTIFY, Answer.FORBIDDEN): Result.FAILED,
    (_CHECK, Answer.ACCEPTED): Result.DELIVERED,
    (_CHECK, Answer.NOT_YET): Result.REFUSED,
    (_CHECK, Answer.REFUSED): Result.REFUSED,
    (_CHECK, Answer.GONE): Result.GONE,
    (_CHECK, Answer.TRY_LATER): Result.PENDING,
    (_CHECK, Answer.ERROR): Result.PENDING,
    (_CHECK, Answer.FORBIDDEN): Result.FAILED,
    (_GATE, Answer.ACCEPTED): Result.DELIVERED,
    (_GATE, Answer.NOT_YET): Result.WAITING,
    (_GATE, Answer.REFUSED): Result.REFUSED,
    (_GATE, Answer.GONE): Result.GONE,
    (_GATE, Answer.TRY_LATER): Result.PENDING,
    (_GATE, Answer.ERROR): Result.PENDING,
    (_GATE, Answer.FORBIDDEN): Result.FAILED,
}
"""Of every type and answer; Pending means that this attempt went wrong, and another one may not."""


def judged(entry: HookStatus, answered: Answered, retries: int, now: datetime) -> HookStatus:
    """The message after this attempt; ``retries``: how many failures in a row are put up with."""
    result = MEANINGS[entry.type, answered.answer]
    failures = entry.failures + 1 if result is Result.PENDING else 0
    if failures > retries:
        result = Result.FAILED
    entry = replace(
        entry,
        result=result,
        attempts=entry.attempts + 1,
        failures=failures,
        message="" if result is Result.DELIVERED else _sentence(answered, failures, result),
        last_time=stamp(now),
        retry_time=None,
    )
    if not result.is_open:
        return replace(entry, payload="")
    return replace(entry, retry_time=stamp(now + pause_after(entry, answered)))


def pause_after(entry: HookStatus, answered: Answered) -> timedelta:
    """Until the next attempt; after "not yet" it doubles up to a quarter of a minute."""
    if entry.result is Result.WAITING:
        own = min(timedelta(seconds=2 ** min(entry.attempts - 1, 10)), LONGEST_POLL)
        pause = max(own, timedelta(seconds=answered.retry_after_seconds or 0.0))
    else:
        pause = pause_before_next(entry.id, entry.failures, answered.retry_after_seconds)
    return min(pause, LONGEST_PAUSE)


def _sentence(answered: Answered, failures: int, result: Result) -> str:
    said = answered.sentence or (f"HTTP {answered.status}" if answered.status else answered.answer.value)
    tried = f", after {failures} attempts" if failures > 1 and result is Result.FAILED else ""
    return f"{said[:MESSAGE_CHARACTERS]}{tried}"
