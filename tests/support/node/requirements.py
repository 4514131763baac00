"""Whether a node can run on this machine, and the packages that it needs from the system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from support.node.commands import SYSTEM_PATH, attempt
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

LEAST_MEMORY = 3_500_000_000
"""Bytes; of four gigabytes the kernel keeps a part."""

LAYERS_IN = Path("/var/tmp")
"""Where containerd will have its layers."""


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


def memory_is_too_small() -> str:
    """The control plane, the kubelet, three operators and a PostgreSQL."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        "" if there >= LEAST_MEMORY else f"a node takes four gigabytes of memory, here are {there / 1e9:.1f}"
    )


def programs_are_missing() -> str:
    """What Debian's packages bring."""
    missing = sorted({PACKAGES[program] for program in absent_programs()})
    return f"packages that could not be installed: {', '.join(missing)}" if missing else ""


def no_bridge_can_be_made() -> str:
    """Root in a container often may not."""
    made = attempt("ip", "link", "add", "hwprobe0", "type", "bridge")
    attempt("ip", "link", "delete", "hwprobe0")
    return f"no bridge can be made: {_said(made)}" if made.returncode else ""


def no_layers_can_be_mounted() -> str:
    """Nor may it mount, and a file system of layers takes no further layers."""
    with tempfile.TemporaryDirectory(dir=LAYERS_IN) as folder:
        names = ("lower", "upper", "work", "all")
        for name in names:
            Path(folder, name).mkdir()
        lower, upper, work, whole = (f"{folder}/{name}" for name in names)
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mounted = attempt("mount", "-t", "overlay", "overlay", "-o", options, whole)
        attempt("umount", whole)
    return f"no layers can be mounted in {LAYERS_IN}: {_said(mounted)}" if mounted.returncode else ""


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return next(iter(done.stderr.splitlines()), f"exit code {done.returncode}")


MACHINE: tuple[Callable[[], str], ...] = (
    it_is_not_linux,
    we_are_not_root,
    control_groups_are_missing,
    memory_is_too_small,
)
WITH_PROGRAMS: tuple[Callable[[], str], ...] = (
    programs_are_missing,
    no_bridge_can_be_made,
    no_layers_can_be_mounted,
)
"""Asked once the packages are installed."""


def why_not() -> str:
    """One line that says why no node can run here, empty when it can. Installs packages that are missing."""
    if said := _first(MACHINE):
        return said
    install(sorted({PACKAGES[program] for program in absent_programs()}))
    return _first(WITH_PROGRAMS)


def _first(reasons: tuple[Callable[[], str], ...]) -> str:
    return next((said for reason in reasons if (said := reason())), "")


def absent_programs() -> list[str]:
    """The programs that are not there."""
    return [program for program in PACKAGES if shutil.which(program, path=SYSTEM_PATH) is None]
