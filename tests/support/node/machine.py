"""What a node changes on the machine and what it may leave behind: put back, taken away."""

from __future__ import annotations

import json
import os
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
NOTES = Path("/var/lib/cni/results")
"""Where the network plugins note for each pod in which namespace they worked."""


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


def remove_networks_of_pods(network: str) -> None:
    """Network namespaces of the pods of this network, and what the plugins had noted of them."""
    for note, known in _notes_of(network):
        attempt("ip", "netns", "delete", Path(known.get("netns", "")).name)
        for file in NOTES.glob(f"*-{known['containerId']}-*"):
            file.unlink(missing_ok=True)
        note.unlink(missing_ok=True)
    for folder in (NOTES, NOTES.parent):
        # Another's notes stay.
        with suppress(OSError):
            folder.rmdir()


def _notes_of(network: str) -> Iterator[tuple[Path, dict[str, str]]]:
    for note in sorted(NOTES.glob(f"{network}-*")):
        with suppress(OSError, ValueError):
            yield note, json.loads(note.read_text())


def remove_pod_groups() -> None:
    """The control groups of the pods, from the leaves up; a group in which something still runs stays."""
    for top in (*CONTROL_GROUPS.glob(f"*/{PODS}"), CONTROL_GROUPS / PODS):
        if top.is_dir():
            for group in sorted((one for one in top.rglob("*") if one.is_dir()), reverse=True):
                with suppress(OSError):
                    group.rmdir()
            with suppress(OSError):
                top.rmdir()


def remains(folder: Path, network: str, bridge: str) -> list[str]:
    """What is still there of a node with this folder, one line each."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    groups = [*CONTROL_GROUPS.glob(f"*/{PODS}"), CONTROL_GROUPS / PODS]
    return [
        *(f"process {pid}: {words}" for pid, words in _processes(folder)),
        *(f"mount {place}" for place in mounted if folder in Path(place).parents),
        *(f"control group {group}" for group in groups if group.exists()),
        *(f"network of a pod {note.name}" for note, _ in _notes_of(network)),
        *(f"link {bridge}" for one in (Path("/sys/class/net") / bridge,) if one.exists()),
        *(f"file {one}" for one in (folder, folder.with_suffix(".settings")) if one.exists()),
    ]


def _processes(folder: Path) -> Iterator[tuple[int, str]]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if f"{folder}/" in words and int(process.name) != os.getpid():
                yield int(process.name), words[:200]
