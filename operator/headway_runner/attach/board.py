"""What a runner shares with the processes of an application's own command: two small files without a name, two pipes.

Rule: the task goes through this file and not through the environment, where other processes could read its URL.
The order that stands on it is a level, as what is wished is, because a command may start one process after the other.
A program that closes inherited descriptors (Python's subprocess does) reaches the same files through ``/proc``.
"""

import fcntl
import os
import pickle
import threading

from headway_contract.records import dataclass
from headway_runner.processes.child import CANCEL, STOP
from headway_runner.processes.level import Level, nameless_file
from headway_runner.processes.pipes import Sender
from headway_runner.processes.task import Task

VARIABLE = "HEADWAY_ATTACH"
MARK_LOADED, MARK_OLD = 1, 8
"""Where ``hook/sitecustomize.py`` leaves its marks."""
_OLD_BYTES = 8
_START = 64


@dataclass(frozen=True)
class Attachment:
    """What a process of the command needs to know to take part in a pass."""

    task: Task
    looks: bool
    """Look at what Alembic would do, else let it be done."""
    known: tuple[frozenset[str], frozenset[str]]
    """What must never be shown, and the names that are shown nevertheless."""


@dataclass(frozen=True)
class Board:
    """The four open files."""

    file: int
    words: int
    """Written by the command's processes."""
    lifeline: int
    """Never written: it ends when the runner does."""
    level: int
    """What is wished, as the supervising process writes it (:class:`~headway_runner.processes.level.Level`)."""

    @classmethod
    def make(cls, attachment: Attachment, words: int, lifeline: int, level: Level) -> "Board":
        """A new one."""
        file = nameless_file()
        os.write(file, bytes(_START) + pickle.dumps(attachment))
        return cls(file, words, lifeline, level.descriptor)

    @classmethod
    def of_this_process(cls, value: str) -> "Board":
        """The board that the environment variable names; raises OSError when it cannot be reached."""
        file, process, device, inode, words, lifeline, level = map(int, value.split(":"))
        try:
            found = os.fstat(file)
            if (found.st_dev, found.st_ino) == (device, inode):
                return cls(file, words, lifeline, level)
        except OSError:
            pass
        place = f"/proc/{process}/fd"
        return cls(
            os.open(f"{place}/{file}", os.O_RDWR),
            os.open(f"{place}/{words}", os.O_WRONLY),
            os.open(f"{place}/{lifeline}", os.O_RDONLY | os.O_NONBLOCK),
            os.open(f"{place}/{level}", os.O_RDONLY),
        )

    @property
    def address(self) -> str:
        """The environment variable's value: it leads a process of the same user here."""
        found = os.fstat(self.file)
        place = f"{self.file}:{os.getpid()}:{found.st_dev}:{found.st_ino}"
        return f"{place}:{self.words}:{self.lifeline}:{self.level}"

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Those that the command inherits."""
        return self.file, self.words, self.lifeline, self.level

    def attachment(self) -> Attachment:
        """What the runner has put here."""
        size = os.fstat(self.file).st_size
        attachment = pickle.loads(os.pread(self.file, size, _START))
        assert isinstance(attachment, Attachment)
        return attachment

    def give(self, order: bytes) -> None:
        """Put up an order; it stays, and only a stronger one takes its place."""
        if self.order() != CANCEL:
            os.pwrite(self.file, order, 0)

    def order(self) -> bytes:
        """The order that stands here, empty when there is none."""
        found = os.pread(self.file, 1, 0)
        return found if found in (STOP, CANCEL) else b""

    @property
    def was_loaded(self) -> bool:
        """Whether a Python has loaded the hook."""
        return os.pread(self.file, 1, MARK_LOADED) == b"1"

    @property
    def old_python(self) -> str:
        """The version of a Python that was too old for Alembic to be seen in it, else empty."""
        return os.pread(self.file, _OLD_BYTES, MARK_OLD).split(b"\n")[0].strip(b"\0").decode()


class SharedSender(Sender):
    """The writing end of a pipe into which several processes write."""

    def __init__(self, board: Board) -> None:
        super().__init__(board.words)
        self._file = board.file
        self._lock = threading.Lock()

    def send(self, value: object) -> None:
        """Write a value whole; raises BrokenPipeError when the reader is gone."""
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                super().send(value)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
