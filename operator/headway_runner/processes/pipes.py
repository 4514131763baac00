"""Python values through a pipe between a forked process and its parent: length, then pickle.

Rule: the reader takes all that has arrived at once; hundreds of small events a second must not cost it as many
system calls each. Texts are masked by the sender: the reader does not know what is secret over there.
"""

import os
import pickle
import select
import struct
import threading
from typing import Any

from headway_runner.words.secrecy import masked

_LENGTH = struct.Struct("!I")
_CHUNK = 1 << 16


class Sender:
    """The writing end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._one_at_a_time = threading.Lock()

    def send(self, value: object) -> None:
        """Write a value with its texts masked; raises BrokenPipeError when the reader is gone."""
        self.send_as_it_is(masked(value))

    def send_as_it_is(self, value: object) -> None:
        """The same for what the reader needs as it is, and tells nobody."""
        body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        rest = memoryview(_LENGTH.pack(len(body)) + body)
        with self._one_at_a_time:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


class Receiver:
    """The reading end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self.at_end = False
        """Nobody writes any more."""

    def receive(self, timeout_seconds: float) -> list[Any]:
        """The values that have arrived whole; waits up to the time-out for the first bytes."""
        ready, _, _ = select.select([self._descriptor], [], [], timeout_seconds)
        if ready:
            chunk = os.read(self._descriptor, _CHUNK)
            self.at_end = not chunk
            self._buffer += chunk
        return self._take_whole()

    def is_empty(self) -> bool:
        """Nothing has arrived that was not received."""
        return not select.select([self._descriptor], [], [], 0)[0]

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self._descriptor)

    def _take_whole(self) -> list[Any]:
        values = []
        start = 0
        while len(self._buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            end = start + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            values.append(pickle.loads(bytes(self._buffer[start + _LENGTH.size : end])))
            start = end
        del self._buffer[:start]
        return values
