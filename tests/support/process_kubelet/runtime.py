"""What the kubelet needs of whatever runs containers: real processes, or played outcomes."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from support.process_kubelet.container_log import ContainerLog


@dataclass(frozen=True)
class Exit:
    """How a container ended; `message` is its termination message."""

    code: int
    message: str = ""

    @property
    def reason(self) -> str:
        """As the kubelet words it."""
        return "Completed" if self.code == 0 else "Error"


class Container(Protocol):
    """A container that has been started."""

    @property
    def exit(self) -> Exit | None:
        """None while it runs."""

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to its first process, which is protected as a PID 1 is."""


class Sandbox(Protocol):
    """One pod's place."""

    def prepare(self, pod: dict[str, Any]) -> None:
        """Makes the volumes. Raises NotYet."""

    def start(
        self, pod: dict[str, Any], container: dict[str, Any], log: ContainerLog, on_end: Callable[[], None]
    ) -> Container:
        """Starts a container that writes to `log` and calls `on_end` after its exit is known.

        Raises NotYet and NeverStarts.
        """

    def refresh(self, pod: dict[str, Any]) -> None:
        """The pod's metadata may have changed."""
