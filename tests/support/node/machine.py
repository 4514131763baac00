"""What a node changes on the machine and what it may leave behind: put back, taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.node.commands import attempt

SYSCTLS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/ipv4/ip_forward",
)
"""Those that the kubelet and the network plugins set."""

SETTINGS = Path("/proc/sys")
CONTROL_GROUPS = Path("/sys/fs/cgroup")
PODS = "kubepods"
NAMESPACES = Path("/run/netns")


@contextmanager
def settings_restored(note: Path) -> Iterator[None]:
    """Whatever happens inside: the kernel's settings are as before afterwards.

    They are noted in a file, so that after a killed run the next one puts back what was before that.
    """
    if not note.exists():
        before = {name: (SETTINGS / name).read_text() for name in SYSCTLS if (SETTINGS / name).exists()}
        note.write_text(json.dumps(before))
    try:
        yield
    finally:
        for name, value in json.loads(note.read_text()).items():
            if (SETTINGS / name).read_text() != value:
                (SETTINGS / name).write_text(value)
        note.unlink()


def unmount_below(folder: Path) -> None:
    """Volumes, container roots and network namespaces that a node with this folder did not take away itself."""
    mounted = [Path(line.split()[1]) for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((one for one in mounted if folder in one.parents), reverse=True):
        attempt("umount", "--lazy", str(place))


def remove_network_namespaces(names: set[str]) -> None:
    """Those of pods that are gone."""
    for name in names:
        attempt("ip", "netns", "delete", name)


def network_namespaces() -> set[str]:
    """The pods' on this machine, whoever made them."""
    return {one.name for one in NAMESPACES.glob("cni-*")} if NAMESPACES.exists() else set()


def remove_pod_groups() -> None:
    """The control groups of the pods, from the leaves up; a group in which something still runs stays."""
    for top in (*CONTROL_GROUPS.glob(f"*/{PODS}"), CONTROL_GROUPS / PODS):
        if top.is_dir():
            for group in sorted((one for one in top.rglob("*") if one.is_dir()), reverse=True):
                with suppress(OSError):
                    group.rmdir()
            with suppress(OSError):
                top.rmdir()
