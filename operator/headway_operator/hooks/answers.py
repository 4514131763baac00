"""What an HTTP answer means. Pure."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from headway_operator.planner.deliveries import Answer, Answered

LONGEST_WAIT = timedelta(hours=1)
"""That a receiver may ask for; more is taken as this much."""
TRY_LATER = frozenset((408, 425, 429, 503))


def answered(receiver: str, status: int, retry_after: str, date: str, now: datetime) -> Answered:
    """The outcome of an attempt that has an answer; ``retry_after`` and ``date`` are headers, or empty."""
    answer = _answer_of(status)
    wait = None if answer is Answer.ACCEPTED else seconds_asked_for(retry_after, date, now)
    sentence = f"{receiver} answered {status}{_STATUSES.get(status) or _MEANINGS.get(answer, '')}"
    if answer is Answer.ERROR and 300 <= status < 400:
        sentence += ", a redirect, and none is followed: set the address that it leads to"
    if wait is not None:
        sentence += f" and asks to wait {wait:.0f} s"
    return Answered(answer, status, wait, sentence)


def seconds_asked_for(retry_after: str, date: str, now: datetime) -> float | None:
    """``Retry-After`` in seconds, bounded; None when it says nothing that can be read.

    A time is compared with the receiver's own clock (its ``Date``), because that may differ from ours.
    """
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return min(float(text), LONGEST_WAIT.total_seconds())
    until = _time(text)
    if until is None:
        return None
    wait = min(max(until - (_time(date) or now), timedelta(0)), LONGEST_WAIT)
    return wait.total_seconds()


def _answer_of(status: int) -> Answer:
    if 200 <= status < 300:
        return Answer.ACCEPTED
    if status in TRY_LATER:
        return Answer.TRY_LATER
    if 400 <= status < 500:
        return {403: Answer.NOT_YET, 410: Answer.GONE}.get(status, Answer.REFUSED)
    return Answer.ERROR


_STATUSES = {
    401: ", it does not know who is calling: compare the secrets, the key and the headers that are set up for it "
    "with those that it expects",
}
_MEANINGS = {
    Answer.NOT_YET: " (no, or not yet)",
    Answer.GONE: " (it wants no more messages)",
}


def _time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
