"""containerd of our own: its socket, its images and its containers lie in the node's folder."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from support.node.commands import attempt, run
from support.node.network import PLUGINS, write_plugin_configuration
from support.processes import ServerProcess
from support.waiting import wait_until

NAMESPACE = "k8s.io"
READY_WITHIN = 60.0

# restrict_oom_score_adj: where root may not lower a score (in a container), no pod would start without it.
CONFIGURATION = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{network}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
"""


class Containerd:
    """Start it, import images, and end whatever runs in it before its end."""

    def __init__(self, folder: Path, pause_image: str, log: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        network = write_plugin_configuration(folder / "cni")
        configuration = folder / "containerd.toml"
        configuration.write_text(
            CONFIGURATION.format(folder=folder, pause=pause_image, plugins=PLUGINS, network=network)
        )
        self._process = ServerProcess(["containerd", "--config", str(configuration)], log)

    @property
    def socket(self) -> Path:
        """Where the kubelet finds it."""
        return self.folder / "containerd.sock"

    def start(self) -> None:
        """Returns once it answers."""
        self._process.start()
        wait_until(self._answers, READY_WITHIN, "containerd to answer")

    def import_image(self, archive: Path) -> None:
        """Load an archive under the name that is written in it."""
        run(*self._ctr, "images", "import", str(archive))

    def stop(self) -> None:
        """Kill what still runs, then end it; its shims end with their containers."""
        if self._process.is_running():
            for container in self._list("containers"):
                attempt(*self._ctr, "tasks", "delete", "--force", container)
                attempt(*self._ctr, "containers", "delete", container)
        self._process.stop(patience=10)
        end_shims(self.socket)

    def _answers(self) -> bool:
        self._process.require_running()
        return attempt(*self._ctr, "version").returncode == 0

    def _list(self, what: str) -> list[str]:
        return attempt(*self._ctr, what, "list", "--quiet").stdout.split()

    @property
    def _ctr(self) -> tuple[str, ...]:
        return ("ctr", "--address", str(self.socket), "--namespace", NAMESPACE)


def end_shims(socket: Path) -> None:
    """End the processes that hold containers for the containerd at this socket, and with them the containers.

    A killed containerd leaves them behind. They are known by the socket on their command line.
    """
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"containerd-shim" in words[0] and str(socket).encode() in words:
                _end_with_children(int(process.name))


def _end_with_children(pid: int) -> None:
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            _end_with_children(int(child))
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
