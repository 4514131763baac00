"""What a look is drawn on: rich's console, which leaves the end of an output that nobody reads to the command."""

from __future__ import annotations

import errno
import os

import rich.console


class Console(rich.console.Console):
    """Without colours that nobody asked for in numbers and paths."""

    def __init__(self, *, soft_wrap: bool = False) -> None:
        """Of standard output."""
        super().__init__(highlight=False, soft_wrap=soft_wrap)

    def on_broken_pipe(self) -> None:
        """Raise it again: rich would end the process with the exit code of a failure."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
