"""One container's log: both outputs mixed, a time stamp before every line, readable while it grows."""

import datetime
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LogOptions:
    """What a reader of a log wants; the same meanings as in Kubernetes' PodLogOptions."""

    follow: bool = False
    since: datetime.datetime | None = None
    tail_lines: int | None = None
    timestamps: bool = False
    limit_bytes: int | None = None


class ContainerLog:
    """Written by one thread, read by any number."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("wb", buffering=0)
        self._size = 0
        self._grown = threading.Condition()

    def append(self, line: bytes) -> None:
        """Adds one line; its line end is not part of it."""
        record = f"{_timestamp(time.time_ns())} ".encode() + line + b"\n"
        self._file.write(record)
        with self._grown:
            self._size += len(record)
            self._grown.notify_all()

    def close(self) -> None:
        """Nothing comes any more: followers reach the end."""
        with self._grown:
            self._file.close()
            self._grown.notify_all()

    def tail(self, limit: int) -> str:
        """The last `limit` bytes of what was printed."""
        return b"".join(self.read(LogOptions()))[-limit:].decode(errors="replace")

    def read(self, options: LogOptions) -> Iterator[bytes]:
        """The chosen lines with their line ends; with `follow` until the container has ended."""
        lines = self._lines(options.follow, options.tail_lines)
        wanted = (line for line in lines if options.since is None or _time_of(line) >= options.since)
        shown = (line if options.timestamps else line.partition(b" ")[2] for line in wanted)
        return _at_most(options.limit_bytes, shown)

    def _lines(self, follow: bool, tail_lines: int | None) -> Iterator[bytes]:
        position = self._size
        with self._path.open("rb") as file:
            present: Iterable[bytes] = _split(file.read(position))
            yield from present if tail_lines is None else deque(present, maxlen=tail_lines)
            while follow and (end := self._wait_beyond(position)) > position:
                yield from _split(file.read(end - position))
                position = end

    def _wait_beyond(self, position: int) -> int:
        """The size once it is more than `position`, or `position` when nothing comes any more."""
        with self._grown:
            self._grown.wait_for(lambda: self._size > position or self._file.closed)
            return self._size


def _split(records: bytes) -> list[bytes]:
    """Whole lines with their ends; a carriage return ends none."""
    return [line + b"\n" for line in records.split(b"\n")[:-1]]


def _at_most(limit: int | None, lines: Iterator[bytes]) -> Iterator[bytes]:
    left = limit
    for line in lines:
        if left is None:
            yield line
            continue
        yield line[:left]
        left -= len(line)
        if left <= 0:
            return


def _timestamp(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z"


def _time_of(line: bytes) -> datetime.datetime:
    return datetime.datetime.fromisoformat(line[: len("2026-01-01T00:00:00.000000")].decode() + "+00:00")
