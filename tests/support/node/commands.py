"""Short commands of the system, with their own words when they fail."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

SYSTEM_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
"""Where servers and administrators' programs are, too."""


class CommandFailed(Exception):
    """A command ended with another code than 0; the text has the command and the end of what it said."""


def run(*words: str, environment: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """What the command prints. Raises CommandFailed."""
    done = attempt(*words, environment=environment, folder=folder)
    if done.returncode:
        said = f"{done.stdout}\n{done.stderr}".strip()[-4000:]
        raise CommandFailed(f"{' '.join(words)} ended with {done.returncode}:\n{said}")
    return done.stdout


def attempt(
    *words: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The same for what may fail."""
    return subprocess.run(
        words,
        env={**os.environ, "PATH": SYSTEM_PATH, **(environment or {})},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
