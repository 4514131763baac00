"""Containers that are only played: an outcome per pod in place of processes, for tests of scale."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support.process_kubelet.container_log import ContainerLog
from support.process_kubelet.runtime import Exit


@dataclass(frozen=True)
class Outcome:
    """What the main containers of a pod print, leave behind and exit with, `seconds` after their start."""

    log_lines: tuple[str, ...] = ()
    termination_message: str = ""
    exit_code: int = 0
    seconds: float = 0.0


class PlayedSandbox:
    """Init containers end at once and well, the others with the outcome. Volumes and Secrets are not looked at."""

    def __init__(self, pod: dict[str, Any], outcome: Outcome) -> None:
        self._init_names = {each["name"] for each in pod["spec"].get("initContainers") or []}
        self._outcome = outcome

    def prepare(self, pod: dict[str, Any]) -> None:
        """Nothing to make."""

    def refresh(self, pod: dict[str, Any]) -> None:
        """Nothing to change."""

    def start(
        self, pod: dict[str, Any], container: dict[str, Any], log: ContainerLog, on_end: Callable[[], None]
    ) -> "PlayedContainer":
        """Never refuses."""
        is_init = container["name"] in self._init_names
        return PlayedContainer(Outcome() if is_init else self._outcome, log, on_end)


class PlayedContainer:
    """Prints at once, ends after the outcome's time."""

    def __init__(self, outcome: Outcome, log: ContainerLog, on_end: Callable[[], None]) -> None:
        self._log = log
        self._on_end = on_end
        self._exit: Exit | None = None
        self._lock = threading.Lock()
        for line in outcome.log_lines:
            log.append(line.encode())
        planned = Exit(outcome.exit_code, outcome.termination_message)
        self._timer = threading.Timer(outcome.seconds, self._end, (planned,))
        self._timer.daemon = True
        if outcome.seconds:
            self._timer.start()
        else:
            self._end(planned)

    @property
    def exit(self) -> Exit | None:
        """None until the time has come."""
        return self._exit

    def send(self, number: signal.Signals) -> None:
        """Every signal ends it."""
        self._timer.cancel()
        self._end(Exit(128 + number))

    def _end(self, how: Exit) -> None:
        with self._lock:
            if self._exit is not None:
                return
            self._log.close()
            self._exit = how
        self._on_end()
