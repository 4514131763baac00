"""A person at a shell: bash on a pseudo terminal, which takes lines and keys, and whose screen can be read."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.waiting import wait_until

CTRL_C = "\x03"
_PROMPT = re.compile(r"\[ended with (\d+)\] ")
_WIDE = (50, 500)


class Terminal:
    """`type` a line, look at what it `shows`, and wait until it has `ended`."""

    def __init__(self, keyboard: int) -> None:
        self._keyboard = keyboard
        self._screen = bytearray()
        self._begun = 0
        threading.Thread(target=self._read, daemon=True).start()
        wait_until(self._prompts, what="the shell's prompt")

    def type(self, line: str) -> None:
        """Type a line and the return key; what is shown is from here on that of this line."""
        self._begun = len(self._screen)
        self.press(f"{line}\n")

    def press(self, keys: str) -> None:
        """Press keys while something runs."""
        os.write(self._keyboard, keys.encode())

    def shows(self, what: str, timeout: float) -> str:
        """Until the line has shown this; everything that it has shown so far."""
        try:
            wait_until(lambda: what in self.shown or self._prompts(), timeout, f"{what!r} on the screen")
            assert what in self.shown, self.shown
        except TimeoutError as late:
            late.add_note(f"shown: {self.shown}")
            raise
        return self.shown

    def ended(self, timeout: float) -> tuple[int, str]:
        """Until the shell asks for the next line; the exit code of this one, and what it has shown."""
        try:
            wait_until(self._prompts, timeout, "the end of the command")
        except TimeoutError as late:
            late.add_note(f"shown: {self.shown}")
            raise
        return int(self._prompts()[-1]), self.shown

    @property
    def shown(self) -> str:
        """What the line has shown so far, with itself at the beginning."""
        return self._screen[self._begun :].decode(errors="replace").replace("\r\n", "\n")

    def _prompts(self) -> list[str]:
        return _PROMPT.findall(self.shown)

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._keyboard, 4096)
            except OSError:
                return
            if not piece:
                return
            self._screen += piece


@contextmanager
def terminal(folder: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """A shell in this folder; at the end it and what it still runs are hung up."""
    keyboard, side = pty.openpty()
    termios.tcsetwinsize(side, _WIDE)
    settings = {"PS1": "[ended with $?] ", "TERM": "dumb", "INPUTRC": os.devnull, "HISTFILE": os.devnull}
    shell = subprocess.Popen(
        ["setsid", "--ctty", "bash", "--norc", "--noprofile", "-i"],
        stdin=side,
        stdout=side,
        stderr=side,
        cwd=folder,
        env={**environment, **settings},
    )
    os.close(side)
    try:
        yield Terminal(keyboard)
    finally:
        shell.kill()
        shell.wait()
        os.close(keyboard)
