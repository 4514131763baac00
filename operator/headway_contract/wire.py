"""Events as marked lines of JSON among whatever else the container prints.

    ##headway {"sequence":7,"time":"2026-11-23T08:00:00.123Z","kind":"RevisionApplied",…}

A line without the mark, of an unknown kind or that cannot be read is not an event. Lines stay below 4,096 bytes,
so that a pipe writes them whole: texts and lists that are longer lose their ends. No field of an event is named
like one of the envelope.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from headway_contract.codec import Undecodable, decode, encode
from headway_contract.events import EVENTS, DocumentPart, Event
from headway_contract.read_json import read_json
from headway_contract.records import dataclass
from headway_contract.result import shorten

MARK = "##headway "
LIMIT_BYTES = 4095
PART_CHARACTERS = 1500
"""Of a document in one line. Documents are JSON in ASCII, so quoting them once more at most doubles them."""
_CUTS = ((900, 200), (300, 50), (60, 20), (20, 5))
"""Characters of a text and items of a list, tried until the line fits."""

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
    body = encode(envelope.event)
    line = _line({**head, **body})
    for characters, items in _CUTS:
        if len(line) <= LIMIT_BYTES:
            break
        line = _line({**head, **{name: _cut(value, characters, items) for name, value in body.items()}})
    return line


def _line(value: dict[str, Any]) -> str:
    """In ASCII, so that characters are bytes."""
    return MARK + json.dumps(value, separators=(",", ":"))


def _cut(value: Any, characters: int, items: int) -> Any:
    if isinstance(value, str):
        return shorten(value, characters)
    if isinstance(value, list):
        return [_cut(item, characters, items) for item in value[:items]]
    return value


def from_line(line: str) -> Envelope | None:
    """The event of this line, None where there is none that this release knows."""
    if not line.startswith(MARK):
        return None
    try:
        value = read_json(line[len(MARK) :])
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
    sha256 = sha256_of(text)
    for index, piece in enumerate(pieces):
        yield DocumentPart(sha256, index, len(pieces), piece)


class DocumentInLog:
    """Takes the pieces of one document out of the lines of a log, and holds nothing else of them."""

    def __init__(self, sha256: str, most_parts: int) -> None:
        self._sha256 = sha256
        self._most_parts = most_parts
        self._pieces: dict[int, str] = {}
        self.parts = 0
        """How many it has, as they say; 0: none was seen. One that has more than it may have is given up."""

    def take(self, line: str) -> None:
        """One line; in any order, and more than once."""
        envelope = from_line(line)
        part = envelope.event if envelope is not None else None
        if not isinstance(part, DocumentPart) or part.sha256 != self._sha256:
            return
        self.parts = max(self.parts, part.count)
        if self.is_too_long:
            self._pieces.clear()
        elif 0 <= part.index < part.count:
            self._pieces[part.index] = part.text[:PART_CHARACTERS]

    @property
    def is_too_long(self) -> bool:
        """It has more pieces than are read."""
        return self.parts > self._most_parts

    @property
    def text(self) -> str | None:
        """The document, None when a piece is missing or damaged."""
        text = "".join(self._pieces[index] for index in sorted(self._pieces))
        return text if sha256_of(text) == self._sha256 else None


def join_document(sha256: str, lines: Iterable[str]) -> str | None:
    """The document of this digest from a log that is held as a whole, whatever its length."""
    document = DocumentInLog(sha256, sys.maxsize)
    for line in lines:
        document.take(line)
    return document.text
