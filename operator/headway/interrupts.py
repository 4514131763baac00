"""Ctrl-C under plain Alembic: while an operation works, the first one is heard at its next safe point.

Python's own way, an exception at any moment, would leave a traceback and no word on what was done, and a loop of
asyncio hears the first one only when the operation is over.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, Protocol

EXIT_INTERRUPTED = 130
"""What a shell calls a program that Ctrl-C has ended: 128 and the number of SIGINT."""


class Interrupted(SystemExit):
    """Ends the program without a traceback; what is committed, and how to go on, was said before."""

    def __init__(self) -> None:
        super().__init__(EXIT_INTERRUPTED)


class Hearing(Protocol):
    """Whoever is to know of it."""

    is_interrupted: bool

    def stop(self, sentence: str) -> NoReturn:
        """End the program."""


@contextmanager
def heard_by(hearer: "Hearing | None") -> Iterator[None]:
    """The first Ctrl-C sets ``is_interrupted``, a second one ends the work at once, as ever.

    One that nobody has acted upon inside ends the program at the end. Nothing is changed for None, in threads other
    than the main one, and where SIGINT is ignored (nohup) or somebody outside of Python handles it.
    """
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if hearer is None or not is_main or before in (signal.SIG_IGN, signal.SIG_DFL, None):
        yield
        return

    def heard(number: int, frame: "FrameType | None") -> None:
        if hearer.is_interrupted:
            raise KeyboardInterrupt
        hearer.is_interrupted = True

    signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if hearer.is_interrupted:
        hearer.stop("")
