"""Builds images without a registry and without a daemon, in a storage of its own.

An index of packages and certificates of one's own reach a build by mounts, so nothing of them is in its result.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.node.commands import attempt, run

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_TAKEN_OVER = ("index-url", "extra-index-url", "trusted-host", "timeout")


@dataclass(frozen=True)
class Buildah:
    """The storage and what is mounted into every build."""

    folder: Path

    def build(
        self,
        name: str,
        recipe: Path,
        context: Path,
        *,
        base: str = "",
        arguments: Mapping[str, str] | None = None,
    ) -> None:
        """Build the recipe over the files of `context`; `base` stands in the place of its first FROM."""
        words = ["build", self._policy, "--isolation=chroot", "--layers=false", "--tag", name]
        words += ["--file", str(recipe)]
        words += [f"--from={base}"] if base else []
        words += [f"--build-arg={key}={value}" for key, value in (arguments or {}).items()]
        for source, place in self._mounts():
            words += ["--volume", f"{source}:{place}:ro"]
        run(*self._command, *words, str(context), environment=_ENVIRONMENT)

    def has(self, name: str) -> bool:
        """Whether it was built here before."""
        return (
            attempt(*self._command, "inspect", "--type=image", name, environment=_ENVIRONMENT).returncode == 0
        )

    def save(self, name: str, archive: Path) -> None:
        """Write the image with its name into an archive, found only when it is whole."""
        half = archive.with_suffix(".half")
        half.unlink(missing_ok=True)
        run(
            *self._command,
            "push",
            self._policy,
            name,
            f"docker-archive:{half}:{name}",
            environment=_ENVIRONMENT,
        )
        half.rename(archive)

    def remove(self, name: str) -> None:
        """Take it out of the storage; harmless when it is not there."""
        attempt(*self._command, "rmi", "--force", name, environment=_ENVIRONMENT)

    @property
    def _command(self) -> tuple[str, ...]:
        storage = (f"--root={self.folder / 'storage'}", f"--runroot={self.folder / 'run'}")
        return ("nice", "-n", "5", "buildah", *storage, "--storage-driver=overlay")

    @property
    def _policy(self) -> str:
        """Images that are made here are signed by nobody."""
        policy = self.folder / "policy.json"
        policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        return f"--signature-policy={policy}"

    def _mounts(self) -> list[tuple[Path, str]]:
        settings = self.folder / "pip.conf"
        settings.write_text(_pip_settings())
        found = [(settings, "/etc/pip.conf")]
        found += [(_certificates(), str(CERTIFICATES))] if _certificates().exists() else []
        return found


_ENVIRONMENT = {"BUILDAH_ISOLATION": "chroot", "TMPDIR": "/var/tmp"}


def _certificates() -> Path:
    return Path(os.environ.get("SSL_CERT_FILE") or CERTIFICATES)


def _pip_settings() -> str:
    """This machine's own settings of pip that lead to its index, as a file."""
    lines = ["[global]", *(f"{key} = {value}" for key, value in _machine_settings().items())]
    lines += [f"cert = {CERTIFICATES}"] if _certificates().exists() else []
    return "\n".join(lines) + "\n"


def _machine_settings() -> dict[str, str]:
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    pairs = (line.split("=", 1) for line in said.splitlines() if "=" in line)
    named = {key.rsplit(".", 1)[-1]: value.strip("'") for key, value in pairs}
    return {key: named[key] for key in _TAKEN_OVER if key in named}


def wheel_of(source: Path, folder: Path) -> None:
    """Put the wheel of the distribution whose sources are there into the folder."""
    command: Sequence[str] = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir")
    run(*command, str(folder), str(source))
