"""MySQL's own server for the matrix: that of the PATH, or Debian's newest, unpacked. MariaDB is another one.

Rule: `find` only looks; `obtain` may unpack. No package index that pip reads has a MySQL server.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from support.cache import cached
from support.matrix import debian

SERVER = "mysql"
SUITE = "sid"
"""The only suite that has it."""
PACKAGE = "mysql-server-core"
_VERSION = re.compile(r"Ver ([89]|\d\d)\.(?!.*MariaDB)")


@cache
def find() -> Path | None:
    """A mysqld, MySQL 8 or newer, or None."""
    return next((path for path in _candidates() if _is_mysql(path)), None)


def obtain() -> Path | None:
    """Like `find`, but unpacks Debian's when the machine has none; None where that cannot be."""
    if find() is None and debian.is_here():
        debian.unpack("MySQL", 60, SUITE, (PACKAGE,), "usr/sbin/mysqld", _unpacked())
        find.cache_clear()
    return find()


def why_not(server: str) -> str:
    """What is missing, in a sentence for the summary."""
    return "mysql: no mysqld of MySQL 8 or newer is here" if server == SERVER and find() is None else ""


def _candidates() -> list[Path]:
    found = shutil.which("mysqld", path="/usr/sbin:/usr/bin:/usr/local/bin")
    return [*([Path(found)] if found else []), _unpacked() / "usr" / "sbin" / "mysqld"]


def _unpacked() -> Path:
    return cached("mysql-debian")


def _is_mysql(path: Path) -> bool:
    if not path.exists():
        return False
    done = subprocess.run(
        [str(path), "--no-defaults", "--version"], capture_output=True, text=True, check=False
    )
    return done.returncode == 0 and _VERSION.search(done.stdout) is not None
