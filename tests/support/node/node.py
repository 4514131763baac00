"""The whole node: control plane, scheduler, containerd and kubelet, started together and ended without a trace."""

from __future__ import annotations

import fcntl
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from support import assets
from support.apiclient import ApiError
from support.controlplane import ControlPlane, Shape
from support.node.containerd import Containerd, end_shims
from support.node.imagery import Image
from support.node.kubelet import NODE, Kubelet
from support.node.machine import (
    remains,
    remove_networks_of_pods,
    remove_pod_groups,
    settings_restored,
    unmount_below,
)
from support.node.network import BRIDGE, NETWORK, SERVICE, raise_bridge, remove_bridge
from support.processes import ServerProcess
from support.waiting import wait_until

FOLDER = Path("/var/tmp/headway-node")
"""Always the same, so what a killed run left behind is found by the next one. Sockets take a short path."""

READY_WITHIN = 120.0
DRAINED_WITHIN = 60.0
GONE_WITHIN = 10.0


class AnotherRuns(Exception):
    """There is one node at a time; the text says what to do."""


class Node:
    """A cluster of one node; `control_plane` is how to reach it, `kubelet` may be stopped and started."""

    def __init__(self, control_plane: ControlPlane, kubelet: Kubelet) -> None:
        self.control_plane = control_plane
        self.kubelet = kubelet

    def wait_until_ready(self) -> None:
        """Until pods may be scheduled on it."""
        wait_until(self._is_ready, READY_WITHIN, "the node to be ready")

    def drain(self) -> None:
        """Let every pod end through the kubelet, which takes its volumes, network and groups away."""
        left: list[str] = []

        def is_empty() -> bool:
            left[:] = self._ended()
            return not left

        try:
            wait_until(is_empty, DRAINED_WITHIN, "the pods to end")
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {', '.join(left)}") from None

    def _ended(self) -> list[str]:
        """Asked again each time: an operator that still runs makes a Job anew. Which pods there are."""
        client = self.control_plane.client
        for path in _ENDED:
            for item in client.get(path)["items"]:
                if "deletionTimestamp" not in item["metadata"]:
                    with suppress(ApiError):
                        # A finalizer of the Job controller would hold the pods of a Job.
                        client.delete(_path(path, item["metadata"]), _AT_ONCE)
        return [_told(pod) for pod in client.get("/api/v1/pods")["items"]]

    def _is_ready(self) -> bool:
        self.kubelet.require_running()
        with suppress(ApiError):
            node = self.control_plane.client.get(f"/api/v1/nodes/{NODE}")
            states = {one["type"]: one["status"] for one in node["status"].get("conditions", [])}
            return states.get("Ready") == "True" and not node["spec"].get("taints")
        return False


_ENDED = ("/apis/apps/v1/deployments", "/apis/apps/v1/replicasets", "/apis/batch/v1/jobs", "/api/v1/pods")
_AT_ONCE = {"gracePeriodSeconds": 1, "propagationPolicy": "Background"}


def _told(pod: dict[str, Any]) -> str:
    """With what holds it."""
    metadata = pod["metadata"]
    holds = (pod["status"].get("phase"), metadata.get("deletionTimestamp"), metadata.get("finalizers"))
    return f"{metadata['namespace']}/{metadata['name']} {holds}"


def _path(collection: str, metadata: dict[str, str]) -> str:
    group, kind = collection.rsplit("/", 1)
    return f"{group}/namespaces/{metadata['namespace']}/{kind}/{metadata['name']}"


@contextmanager
def node(pause: Image, images: Sequence[Image]) -> Iterator[Node]:
    """A node with these images; afterwards, also after a failure, the machine is as it was."""
    with ExitStack() as undo:
        undo.enter_context(_only_one())
        undo.enter_context(_asked_to_end_as_by_a_key())
        _clean_up()
        undo.enter_context(settings_restored(FOLDER.with_suffix(".settings")))
        undo.callback(_clean_up)
        raise_bridge()
        yield _start(undo, pause, images)


def _start(undo: ExitStack, pause: Image, images: Sequence[Image]) -> Node:
    """In the order in which each needs those before; each end is noted before the next start."""
    binaries, logs = assets.find(assets.NODE), FOLDER / "logs"
    containerd = Containerd(FOLDER / "containerd", pause.name, logs / "containerd.log")
    undo.callback(containerd.stop)
    containerd.start()
    for image in (pause, *images):
        containerd.import_image(image.archive)
    shape = Shape(address=SERVICE, port=443, has_nodes=True)
    plane = ControlPlane.start(FOLDER / "control-plane", assets.find(assets.OF_THE_NODE), shape=shape)
    undo.callback(plane.stop)
    undo.callback(_start_scheduler(binaries, plane, logs).stop)
    kubelet = Kubelet(binaries, FOLDER / "kubelet", containerd.socket, plane.authority, plane.server)
    undo.callback(kubelet.stop)
    kubelet.start()
    started = Node(plane, kubelet)
    started.wait_until_ready()
    undo.callback(started.drain)
    return started


def _start_scheduler(binaries: Path, plane: ControlPlane, logs: Path) -> ServerProcess:
    plane.authority.issue_client("scheduler", "system:kube-scheduler")
    kubeconfig = plane.authority.kubeconfig("scheduler", plane.server)
    command = [
        f"{binaries}/kube-scheduler",
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
    ]
    scheduler = ServerProcess(command, logs / "kube-scheduler.log")
    scheduler.start()
    return scheduler


def take_away_what_is_left() -> list[str]:
    """After a run, however it ended: clean up what a killed one left; what could not be taken away, if anything."""

    def is_gone() -> bool:
        _clean_up()
        return not remains(FOLDER, NETWORK, BRIDGE)

    with _only_one():
        with settings_restored(FOLDER.with_suffix(".settings")):
            pass
        with suppress(TimeoutError):
            wait_until(is_gone, GONE_WITHIN, "the node to be gone")
        return remains(FOLDER, NETWORK, BRIDGE)


@contextmanager
def _asked_to_end_as_by_a_key() -> Iterator[None]:
    """SIGTERM ends the tests as Ctrl-C does, so that the node is taken away."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _only_one() -> Iterator[None]:
    """Bridge, addresses and folder are there once on a machine."""
    with FOLDER.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherRuns(
                f"another node runs on this machine (it holds {lock.name}): wait until it has ended"
            ) from None
        yield


def _clean_up() -> None:
    """Nothing of a node is left: neither of this one nor of one whose run was killed."""
    end_shims(FOLDER / "containerd" / "containerd.sock")
    unmount_below(FOLDER)
    remove_networks_of_pods(NETWORK)
    remove_pod_groups()
    remove_bridge()
    shutil.rmtree(FOLDER, ignore_errors=True)
