"""Child processes that never outlive the test run.

Every child is started through a tiny launcher that asks the kernel to kill it when the thread that started it is
gone (PR_SET_PDEATHSIG), so not even a killed pytest leaves servers behind. Rule: start servers from a thread that
lives as long as they do. A launcher, not `preexec_fn`: forking Python code out of a threaded process may deadlock.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

# Arguments: the expected parent's pid, then the program and its arguments. 1 is PR_SET_PDEATHSIG, 9 is SIGKILL.
_LAUNCHER = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 9)\n"
    "if os.getppid() != int(sys.argv[1]): os._exit(125)\n"
    "os.execvp(sys.argv[2], sys.argv[2:])\n"
)
TAIL_BYTES = 3000


def spawn(
    arguments: Sequence[str],
    *,
    output: IO[bytes] | int,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a program in its own session, without input, both outputs going to `output`; its pid is its group's."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )


class ServerProcess:
    """One server of the bench. Writes its output to `log`; can be stopped and started again."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.arguments = tuple(arguments)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the program; the caller waits until it is ready."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = spawn(self.arguments, output=output)

    def stop(self, patience: float = 3.0) -> None:
        """SIGTERM, and SIGKILL after `patience` seconds. Stopping twice is harmless."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def is_running(self) -> bool:
        """False before the start, after the stop, and when the program has ended by itself."""
        return self._process is not None and self._process.poll() is None

    def require_running(self) -> None:
        """Raises RuntimeError with the end of its log when the program has ended by itself."""
        if self.is_running():
            return
        name = Path(self.arguments[0]).name
        tail = self.log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
        raise RuntimeError(f"{name} is not running. The end of its log {self.log}:\n{tail}")


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
