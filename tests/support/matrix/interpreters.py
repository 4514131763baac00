"""Finds CPython 3.N for the matrix: on the PATH, among pyenv's, or unpacked from Debian's packages.

Rule: `find` only looks; `obtain` may unpack. A Python that does not start counts as none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from support.cache import cached
from support.matrix import debian

DEBIAN_SUITES = {"3.13": "trixie", "3.14": "sid"}
"""Which of Debian's suites has which Python, besides the machine's own."""


@cache
def find(version: str) -> Path | None:
    """An interpreter of this version (as 3.12), or None."""
    return next((path for path in _candidates(version) if _is(path, version)), None)


def obtain(version: str) -> Path | None:
    """Like `find`, but unpacks Debian's when the machine has none; None where that cannot be."""
    if find(version) is None and version in DEBIAN_SUITES and debian.is_here():
        debian.unpack_python(version, DEBIAN_SUITES[version], _unpacked(version))
        find.cache_clear()
    return find(version)


def why_not(version: str) -> str:
    """What is missing, in a sentence for the summary."""
    if find(version) is not None:
        return ""
    unpacked = version in DEBIAN_SUITES and debian.is_here()
    return f"no Python {version} on this machine" + (
        ", and Debian's could not be unpacked" if unpacked else ""
    )


def _candidates(version: str) -> list[Path]:
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser() / "versions"
    installed = sorted(pyenv.glob(f"{version}.*/bin/{name}"))
    found = [Path(path) for path in (shutil.which(name), shutil.which(name, path=os.defpath)) if path]
    own = Path(sys.base_prefix) / "bin" / name
    return [own, *reversed(installed), *found, debian.python_in(_unpacked(version), version)]


def _unpacked(version: str) -> Path:
    return cached(f"python-{version}-debian")


def _is(path: Path, version: str) -> bool:
    if not path.exists():
        return False
    program = "import sys, ssl, sqlite3, venv; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([str(path), "-c", program], capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == version
