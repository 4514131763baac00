"""The command line as a user starts it: a real process, its output read while it runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from support.waiting import wait_until

HEADWAY = Path(sys.executable).with_name("headway")


class Headway:
    """A started `headway`; its outputs and what it leaves behind are below `folder`."""

    def __init__(self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        number = len(list(folder.glob("headway-*.out")))
        self._out, self._err = folder / f"headway-{number}.out", folder / f"headway-{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [HEADWAY, *arguments],
                cwd=folder,
                env={**os.environ, "TMPDIR": str(folder), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> str:
        """What it has written to stdout so far."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What it has written to stderr so far."""
        return self._err.read_text()

    @property
    def items(self) -> list[dict]:
        """The lines of `--output json`."""
        return [json.loads(line) for line in self.out.splitlines()]

    def wait(self, timeout: float = 120) -> int:
        """Its exit code."""
        try:
            return self.process.wait(timeout)
        finally:
            self.process.kill()

    def wait_for(self, text: str, timeout: float = 60) -> None:
        """Until it has written this to stdout."""
        wait_until(lambda: text in self.out or self._ended(text), timeout, f"{text!r} in the output")

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        """Ctrl-C."""
        self.process.send_signal(number)

    def _ended(self, text: str) -> bool:
        if self.process.poll() is not None and text not in self.out:
            raise AssertionError(f"ended without {text!r}:\n{self.out}\n{self.err}")
        return False


def resource(databases: Mapping[str, Mapping], **spec: object) -> str:
    """The YAML of a DatabaseMigration with these databases, in their order."""
    wanted = {
        "image": "registry.example.com/shop:1",
        "databases": [{"name": name, **more} for name, more in databases.items()],
        **spec,
    }
    head = {"apiVersion": "headway.dev/v1alpha1", "kind": "DatabaseMigration", "metadata": {"name": "shop"}}
    return yaml.safe_dump({**head, "spec": wanted}, sort_keys=False)


def secret(name: str, **values: str) -> str:
    """The YAML of a Secret."""
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
    return yaml.safe_dump({**head, "stringData": values})
