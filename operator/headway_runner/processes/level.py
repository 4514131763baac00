"""What is wished at present, from the process that supervises to all that work for it: a small file without a name.

Rule: it is a level and no queue. One process writes the whole of it; whoever reads gets a whole one, the newest or
the one before it, and asking again costs one short read when nothing has changed.
"""

import os
import struct
import tempfile
import zlib

from headway_contract.control import Control

_HEAD = struct.Struct("!III")
"""A number that grows with each change, the length of what follows, and the checksum of both."""


class Level:
    """The newest control value; one writer, any number of readers in any process that has the descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._number = 0
        self._control = Control()

    @classmethod
    def make(cls) -> "Level":
        """A new one, at which nothing is wished."""
        return cls(nameless_file())

    def put(self, control: Control) -> None:
        """From now on this is wished."""
        self._number += 1
        self._control = control
        body = control.to_json().encode()
        head = _HEAD.pack(self._number, len(body), zlib.crc32(body, self._number))
        os.pwrite(self.descriptor, head + body, 0)

    def get(self) -> Control:
        """What is wished now. A value that is just being written is seen by the next look."""
        head = os.pread(self.descriptor, _HEAD.size, 0)
        if len(head) < _HEAD.size:
            return self._control
        number, length, checksum = _HEAD.unpack(head)
        if number != self._number:
            body = os.pread(self.descriptor, length, _HEAD.size)
            if zlib.crc32(body, number) == checksum:
                # The number last: another thread that sees it sees the value, too.
                self._control = Control.from_json(body.decode())
                self._number = number
        return self._control


def nameless_file() -> int:
    """A descriptor of a new file in memory; where the system has no such files, of one on disk without a name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("headway")
    with tempfile.TemporaryFile() as made:
        return os.dup(made.fileno())
