"""A call to the outside as data: what is to be sent to whom, and how it was answered.

Made by the planner, sent by ``hooks``, and told to the planner again; nothing here knows of a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headway_operator.api.hooks import HookType, Point


@dataclass(frozen=True)
class Delivery:
    """One message for one receiver; the same ``id`` in every attempt and after every restart."""

    id: str
    hook: str
    type: HookType
    point: Point
    event: str
    """The CloudEvents type and the payload's ``type``, such as ``dev.headway.migration.before``."""
    source: str
    """The CloudEvents source: the resource's path in the API."""
    subject: str
    data: Mapping[str, Any]
    """The payload's ``data``: JSON values."""
    occurred: str
    """RFC 3339, when what it tells of happened: the payload's ``timestamp``."""
    url: str = ""
    endpoint: str = ""
    """The name of an endpoint of the cluster's administrator; exactly one of this and ``url``."""
    timeout_seconds: int = 15


class Answer(StrEnum):
    """What came back, by what it means for the next step."""

    ACCEPTED = "Accepted"
    """2xx."""
    NOT_YET = "NotYet"
    """403: a Gate or Throttle says no for now; a Check says no for good."""
    REFUSED = "Refused"
    """Any other 4xx: the receiver understood and does not agree, or the address is wrong; trying again is no use."""
    GONE = "Gone"
    """410: this receiver wants no more messages."""
    TRY_LATER = "TryLater"
    """429 and 503, also 408 and 425, with or without Retry-After."""
    ERROR = "Error"
    """3xx, other 5xx, a broken answer, a time-out, no connection."""
    FORBIDDEN = "Forbidden"
    """The address must not be called, or the endpoint is not configured; nothing was sent."""


@dataclass(frozen=True)
class Answered:
    """The outcome of one attempt."""

    answer: Answer
    status: int = 0
    """HTTP's; 0: there was none."""
    retry_after_seconds: float | None = None
    sentence: str = ""
    """What happened, for a person, without a full stop; holds nothing secret and nothing of the body."""


@dataclass(frozen=True)
class HookAnswer:
    """What came of one attempt to send the message of this id."""

    id: str
    attempt: int
    answered: Answered


@dataclass(frozen=True)
class Polled:
    """What a Throttle said last about the backfill of a database; ``subject`` is that of the question."""

    hook: str
    subject: str
    answered: Answered
