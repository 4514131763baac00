"""A container that is a local process in a session of its own."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from support.process_kubelet.container_log import ContainerLog
from support.process_kubelet.obstacles import NeverStarts
from support.process_kubelet.runtime import Exit
from support.processes import spawn

MESSAGE_BYTES = 4096
FALLBACK_BYTES = 2048
PIPE_CLOSES_WITHIN = 5.0


class ProcessContainer:
    """Starts on construction. Raises NeverStarts when the operating system refuses.

    Construct it in a thread that lives until the container has ended: see support.processes.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        log: ContainerLog,
        read_message: Callable[[int], str],
        on_end: Callable[[], None],
    ) -> None:
        self._exit: Exit | None = None
        self._log = log
        self._read_message = read_message
        self._on_end = on_end
        try:
            self._process = spawn(command, output=subprocess.PIPE, environment=environment, folder=folder)
        except OSError as refused:
            raise NeverStarts(str(refused)) from refused
        self._pump = threading.Thread(
            target=self._copy_output, name=f"log-of-{self._process.pid}", daemon=True
        )
        self._pump.start()
        threading.Thread(target=self._wait, name=f"end-of-{self._process.pid}", daemon=True).start()

    @property
    def exit(self) -> Exit | None:
        """None while it runs."""
        return self._exit

    def send(self, number: signal.Signals) -> None:
        """A signal to the first process; SIGKILL to all. One without a handler is ignored, as by PID 1."""
        if self._exit is not None:
            return
        if number == signal.SIGKILL:
            self._kill_group()
        elif _has_handler(self._process.pid, number):
            self._process.send_signal(number)

    def _copy_output(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._log.append(line.removesuffix(b"\n"))

    def _wait(self) -> None:
        """As in a container: when the first process ends, all others of it are killed."""
        code = self._process.wait()
        self._kill_group()
        self._pump.join(PIPE_CLOSES_WITHIN)
        self._log.close()
        code = 128 - code if code < 0 else code
        self._exit = Exit(code, self._read_message(code))
        self._on_end()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def termination_message(file: Path, policy: str, log: ContainerLog, code: int) -> str:
    """What the container left in its file, or, if it is to be so, the end of its log after a failure."""
    written = file.read_bytes()[:MESSAGE_BYTES].decode(errors="replace") if file.exists() else ""
    if written or policy != "FallbackToLogsOnError" or code == 0:
        return written
    return log.tail(FALLBACK_BYTES)


def _has_handler(pid: int, number: signal.Signals) -> bool:
    """Whether the process catches the signal; the kernel keeps uncaught ones from a container's PID 1."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)
