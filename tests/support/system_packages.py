"""Installs what the tests in ``tests/system`` need, where this machine allows it, and runs them.

    PYTHONPATH=tests python -m support.system_packages

Each part has one test module and one system package. A part whose program is neither there nor can be installed is
named at the end; nothing is skipped in silence.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.matrix import mysql

TESTS = Path(__file__).resolve().parents[1] / "system"


@dataclass(frozen=True)
class Part:
    """A test module and what it needs."""

    module: str
    program: str
    package: str

    @property
    def path(self) -> str | None:
        """Where the program is; servers are often outside an ordinary PATH."""
        return shutil.which(self.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


PARTS = (
    Part("test_pgbouncer.py", "pgbouncer", "pgbouncer"),
    Part("test_mariadb.py", "mariadbd", "mariadb-server"),
    Part("test_mariadb_interrupts.py", "mariadbd", "mariadb-server"),
    Part("test_library_backfill_mysql.py", "mariadbd", "mariadb-server"),
    Part("test_library_operations_mysql.py", "mariadbd", "mariadb-server"),
    Part("test_library_throttle_mysql.py", "mariadbd", "mariadb-server"),
    Part("test_plan_facts_mysql.py", "mariadbd", "mariadb-server"),
    Part("test_completion_zsh.py", "zsh", "zsh"),
    Part("test_completion_fish.py", "fish", "fish"),
    Part("test_full_disk.py", "mount", "mount"),
    Part("test_node_loss.py", "ip", "iproute2"),
    Part("test_node_loss_mysql.py", "mariadbd", "mariadb-server"),
)


def install(packages: list[str]) -> None:
    """Debian's packages, without any question; services are not started."""
    if not packages:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"not installing {', '.join(packages)}: that takes apt-get and root")
        return
    print(f"installing {', '.join(packages)} …", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-q"], check=False, **quiet)  # type: ignore[call-overload]
    command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
    subprocess.run(command, check=False, **quiet)  # type: ignore[call-overload]


def main() -> int:
    """Install, run, tell; the exit code is that of the tests."""
    install([part.package for part in PARTS if part.path is None])
    # MariaDB's tests are run on MySQL, too, where that can be had.
    has_mysql = mysql.obtain() is not None
    here = [part for part in PARTS if part.path is not None]
    code = 0
    if here:
        modules = [str(TESTS / part.module) for part in here]
        code = subprocess.run([sys.executable, "-m", "pytest", *modules], check=False).returncode
    for part in PARTS:
        if part not in here:
            print(f"left out: {part.module}, because {part.program} is not on this machine ({part.package})")
    if not has_mysql:
        print(f"left out: MySQL in the tests of MariaDB: {mysql.why_not(mysql.SERVER)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
