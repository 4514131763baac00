"""Events as marked lines of JSON among whatever else the container prints.

    ##headway {"sequence":7,"time":"2026-11-23T08:00:00.123Z","kind":"RevisionApplied",…}

A line without the mark, of an unknown kind or that cannot be read is not an event. Lines stay below 4,096 bytes,
so that a pipe writes them whole.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headway_contract.codec import Undecodable, decode, encode
from headway_contract.events import EVENTS, DocumentPart, Event

MARK = "##headway "
PART_CHARACTERS = 1500
"""Of a document in one line: JSON may double it twice over and the line still fits a pipe's atomic write."""

_BY_KIND = {kind.__name__: kind for kind in EVENTS}


@dataclass(frozen=True)
class Envelope:
    """An event with its place in the stream: sequence numbers grow by one, time is RFC 3339 in UTC."""

    sequence: int
    time: str
    event: Event


def to_line(envelope: Envelope) -> str:
    """The line, without its end."""
    head = {"sequence": envelope.sequence, "time": envelope.time, "kind": type(envelope.event).__name__}
    return MARK + json.dumps({**head, **encode(envelope.event)}, separators=(",", ":"))


def from_line(line: str) -> Envelope | None:
    """The event of this line, None where there is none that this release knows."""
    if not line.startswith(MARK):
        return None
    try:
        value = json.loads(line[len(MARK) :])
        kind = _BY_KIND.get(value["kind"])
        if kind is None:
            return None
        return Envelope(int(value["sequence"]), str(value["time"]), decode(kind, value))
    except (ValueError, KeyError, TypeError, Undecodable):
        return None


def sha256_of(text: str) -> str:
    """The hexadecimal digest by which a document is named."""
    return hashlib.sha256(text.encode()).hexdigest()


def split_document(text: str) -> Iterator[DocumentPart]:
    """A document as the events that carry it."""
    pieces = [text[at : at + PART_CHARACTERS] for at in range(0, len(text), PART_CHARACTERS)] or [""]
    for index, piece in enumerate(pieces):
        yield DocumentPart(sha256_of(text), index, len(pieces), piece)


def join_document(sha256: str, lines: Iterable[str]) -> str | None:
    """The document of this digest from a log, None when a piece is missing or damaged."""
    pieces: dict[int, str] = {}
    for line in lines:
        envelope = from_line(line)
        if envelope and isinstance(envelope.event, DocumentPart) and envelope.event.sha256 == sha256:
            pieces[envelope.event.index] = envelope.event.text
    text = "".join(pieces[index] for index in sorted(pieces))
    return text if sha256_of(text) == sha256 else None
