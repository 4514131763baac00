"""A process that the proofs start, with what it sent and its log."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from support.kills.children import context

SECONDS = 60.0
"""How long anything may take; usual are tenths of a second."""


@dataclass
class Child:
    """A process, what it sent, and its log."""

    process: BaseProcess
    pipe: Connection
    log: Path
    started: float = field(default_factory=time.monotonic)
    update: float | None = None
    is_there: bool = False

    @classmethod
    def start(cls, function: Callable[..., None], log: Path, *arguments: object) -> Child:
        """`function` gets the arguments and the other end of the pipe."""
        ours, theirs = context().Pipe()
        process = context().Process(target=function, args=(*arguments, theirs), daemon=True)
        process.start()
        theirs.close()
        return cls(process, ours, log)

    def kill(self) -> None:
        """SIGKILL, and see it gone."""
        self.process.kill()
        self.process.join(SECONDS)
        self.pipe.close()

    def reach(self) -> Child:
        """Wait until it is at its moment; raises AssertionError when it never comes there."""
        self.listen(SECONDS)
        assert self.is_there, f"the moment did not come: {self.words()}"
        return self

    def go_on(self) -> None:
        """Let it leave its moment."""
        self.is_there = False
        self.pipe.send("go on")

    def end(self) -> int:
        """Wait for it to end by itself; its exit code."""
        self.listen(SECONDS)
        self.process.join(SECONDS)
        assert self.process.exitcode is not None, f"it does not end: {self.words()}"
        return self.process.exitcode

    def listen(self, seconds: float) -> None:
        """Take in what it sends until it is at its moment, has ended, or the time is over."""
        deadline = time.monotonic() + seconds
        while not self.is_there and self.pipe.poll(max(0.0, deadline - time.monotonic())):
            try:
                said, when = self.pipe.recv()
            except EOFError:
                self.process.join(SECONDS)
                return
            self.update = when if said == "update" else self.update
            self.is_there = said == "there"

    def words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""
