"""The runner's output: events alone on the original stdout, everything that the user's code prints on stderr.

Moved on the level of file descriptors, so that ``sys.__stdout__``, C libraries and child processes follow.
"""

import os
import sys
from collections.abc import Callable
from datetime import datetime, timezone

from headway_contract.events import Event
from headway_contract.wire import Envelope, to_line
from headway_runner.words.secrecy import masked


def take_stdout() -> int:
    """A descriptor of the original stdout; from now on descriptor 1 is stderr."""
    sys.stdout.flush()
    taken = os.dup(1)
    os.dup2(2, 1)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(line_buffering=True)
    return taken


def utc_now() -> str:
    """RFC 3339 with milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EventStream:
    """The only writer of events: masks them, numbers them from 1 and writes each line at once and whole."""

    def __init__(self, descriptor: int, now: Callable[[], str] = utc_now) -> None:
        self._descriptor = descriptor
        self._now = now
        self._sequence = 0

    def write(self, *events: Event) -> None:
        """Events are advisory: when nobody reads them any more, the work goes on."""
        for event in events:
            self._sequence += 1
            line = to_line(Envelope(self._sequence, self._now(), masked(event))) + "\n"
            rest = memoryview(line.encode())
            while rest:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except BrokenPipeError:
                    return

    def close(self) -> None:
        """Let go of the descriptor: a forked child must not hold it."""
        os.close(self._descriptor)
