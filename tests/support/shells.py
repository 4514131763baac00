"""A shell on a terminal of its own, into which a test types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent
PROMPT = "typed> "


class Shell:
    """Starts it; what it writes is gathered while something is waited for."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._terminal, side = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={
                "HOME": str(folder),
                "PATH": f"{BIN}:{os.environ['PATH']}",
                "TERM": "dumb",
                "PS1": PROMPT,
                "LC_ALL": "C.UTF-8",
                **environment,
            },
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        )
        os.close(side)

    def type(self, text: str) -> None:
        """As a person does; ``\\t`` asks for completions."""
        os.write(self._terminal, text.encode())

    def wait_for(self, text: str, timeout: float = 60) -> None:
        """Until it has written this since the last wait."""
        until = time.monotonic() + timeout
        while text not in self.seen:
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError(f"no {text!r} in {self.seen!r}")
            self.seen += os.read(self._terminal, 65536).decode(errors="replace")
        self.seen = self.seen.partition(text)[2]

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)


@contextmanager
def completing(command: Sequence[str], folder: Path, *lines: str) -> Iterator[Shell]:
    """A shell that has taken these lines, the completion of `headway` among them, and waits for what is typed."""
    shell = Shell(command, folder, {})
    try:
        shell.wait_for(PROMPT)
        # Written in two parts, so that the line itself, which the terminal shows, is not taken for what it writes.
        shell.type(f"{'; '.join(lines)}; echo TAK''EN\n")
        shell.wait_for("TAKEN")
        shell.wait_for(PROMPT)
        yield shell
    finally:
        shell.close()
