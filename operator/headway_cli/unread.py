"""The end of a command whose reader has gone, as in ``headway list | head -1``: silent, as of any other program."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable

EXIT_UNREAD = 141
"""What a shell says of a program that SIGPIPE ended, as kubectl and git end."""
_OUTPUTS = (1, 2)


class Unread(BrokenPipeError):
    """Nobody reads what a run tells any more, and the run has ended."""


def until_unread(start: Callable[[], int]) -> int:
    """The exit code of ``start`` once all that it printed is written; 141 where nobody reads it any more."""
    try:
        try:
            return start()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        unread = [number for number in _OUTPUTS if _is_unread(number)]
        if not unread:
            raise  # it is of something else that was written to
        for number in unread:  # what is still buffered goes nowhere when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        return EXIT_UNREAD


def _is_unread(number: int) -> bool:
    look = select.poll()
    look.register(number, 0)  # errors are told also where nothing is asked for
    return any(told & (select.POLLERR | select.POLLHUP) for _, told in look.poll(0))
