"""The real operator as a child process, which tests may kill and start again."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from headway_operator.cluster.permissions import LEASE, PERMISSIONS, Permission
from support.processes import spawn
from support.waiting import wait_until

RUNNER_IMAGE = "headway:test"


def rules_of(*permissions: Permission) -> tuple[dict[str, list[str]], ...]:
    """As a role has them."""
    return tuple(
        {"apiGroups": [one.group], "resources": [one.resource], "verbs": list(one.verbs)}
        for one in permissions
    )


RULES = rules_of(*PERMISSIONS)
"""All that the operator may do in a cluster: no Secrets."""

LEASE_RULES = rules_of(LEASE)
"""What it needs in the namespace of its Lease, when it contends for one."""


class OperatorProcess:
    """`headway-operator` with this kubeconfig; `namespaces` empty: all of them. Its output goes to `log`."""

    def __init__(
        self, kubeconfig: Path, log: Path, namespaces: str = "", settings: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(log.parent),
            "KUBECONFIG": str(kubeconfig),
            "HEADWAY_NAMESPACES": namespaces,
            "HEADWAY_RUNNER_IMAGE": RUNNER_IMAGE,
            "HEADWAY_GRACE_SECONDS": "5",
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._seen = 0

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self, until: str = "headway_operator: watching") -> "OperatorProcess":
        """Start it and return once it says this."""
        with self.log.open("ab") as output:
            self._seen = self.log.stat().st_size
            self._process = spawn(
                [sys.executable, "-W", "error", "-m", "headway_operator"],
                output=output,
                environment=self._environment,
            )
        self.wait_until_it_says(until)
        return self

    def wait_until_it_says(self, words: str) -> None:
        """Since it was started last."""
        wait_until(lambda: self.says(words), what=f"the operator to say: {words}")

    def kill(self) -> None:
        """SIGKILL: it can tidy up nothing."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code. Raises TimeoutExpired when it is not gone after ten seconds."""
        return self._end(signal.SIGTERM)

    def is_running(self) -> bool:
        """Whether it has neither been stopped nor given up."""
        return self._process is not None and self._process.poll() is None

    def wait(self, seconds: float = 10) -> int:
        """Its exit code when it ends by itself; raises TimeoutExpired."""
        assert self._process is not None
        return self._process.wait(seconds)

    def text(self) -> str:
        """What it has printed."""
        return self.log.read_text(errors="replace")

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()
            self._process = None

    def says(self, words: str) -> bool:
        """Whether it has said so since it was started last; raises RuntimeError when it has ended."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"the operator ended with {self._process.returncode}:\n{self.text()[-3000:]}")
        return words in self.text()[self._seen :]
