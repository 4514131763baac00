"""Whether a node can run on this machine, and the packages that it needs from the system."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from support.system_packages import install

PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "buildah": "buildah",
    "gcc": "gcc",
    "ip": "iproute2",
}
"""The programs, and the package of Debian that has each."""

SYSTEM_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def it_is_not_linux() -> str:
    """Namespaces and control groups are Linux's."""
    return "" if sys.platform == "linux" else "a node takes Linux"


def we_are_not_root() -> str:
    """Network namespaces, mounts and control groups are root's."""
    return "" if os.geteuid() == 0 else "a node takes root: sudo make e2e"


def control_groups_are_missing() -> str:
    """The kubelet puts each pod into groups of its own."""
    version1, version2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/cgroup.controllers")
    there = any(one.exists() and os.access(one, os.W_OK) for one in (version1, version2))
    return "" if there else "no control groups can be made below /sys/fs/cgroup"


def programs_are_missing() -> str:
    """What Debian's packages bring; asked last, because the packages are installed before."""
    missing = sorted({PACKAGES[program] for program in absent_programs()})
    return f"packages that could not be installed: {', '.join(missing)}" if missing else ""


MACHINE: tuple[Callable[[], str], ...] = (it_is_not_linux, we_are_not_root, control_groups_are_missing)


def why_not() -> str:
    """One line that says why no node can run here, empty when it can. Installs packages that are missing."""
    for reason in MACHINE:
        if said := reason():
            return said
    install(sorted({PACKAGES[program] for program in absent_programs()}))
    return programs_are_missing()


def absent_programs() -> list[str]:
    """The programs that are not there."""
    return [program for program in PACKAGES if shutil.which(program, path=SYSTEM_PATH) is None]
