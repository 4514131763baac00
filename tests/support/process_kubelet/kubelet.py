"""The process kubelet: a Node of a real API server whose pods run as processes of this machine.

There is no scheduler, so it also binds pods to itself. It does what the tests need of a kubelet: see the modules
beside this one. What it does not do it says in the pod's status (restarts, sidecars, unknown volumes).
"""

import shutil
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.apiclient import ApiClient, ApiError
from support.process_kubelet.container_log import ContainerLog
from support.process_kubelet.images import Image
from support.process_kubelet.log_server import LogServer, LogsUnavailable
from support.process_kubelet.played import Outcome, PlayedSandbox
from support.process_kubelet.pod_watch import PodWatch
from support.process_kubelet.pod_worker import PodWorker, Stop
from support.process_kubelet.process_runtime import ProcessSandbox
from support.process_kubelet.runtime import Sandbox

NODES = "/api/v1/nodes"
PRESSURE = "The node was low on resource: memory."
Pod = dict[str, Any]


class ProcessKubelet:
    """A node named `name`, one that the cluster has not had yet.

    `images` (name as in the pod → Image) may be filled at any time. The API server must be able to reach 127.0.0.1 of
    this machine, and nothing else may bind pods.
    """

    def __init__(self, client: ApiClient, name: str) -> None:
        self.name = name
        self.images: dict[str, Image] = {}
        self._client = client
        self._folder = Path(tempfile.mkdtemp(prefix="headway-kubelet-"))
        self._workers: dict[str, PodWorker] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._lost: set[str] = set()
        self._played: dict[str, Callable[[Pod], Outcome]] = {}
        self._labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
        self._lock = threading.Lock()
        self._watch = PodWatch(client, self._on_pod, self._on_gone)
        self._log_server = LogServer(self.log, self._folder / "certificates")

    def start(self) -> None:
        """Registers the node and begins to take pods."""
        self._client.post(NODES, {"metadata": {"name": self.name, "labels": self._labels}})
        self._client.patch(f"{NODES}/{self.name}/status", {"status": _node_status(self._log_server.port)})
        self._watch.start()

    def stop(self) -> None:
        """Kills all that runs and removes what it left on this machine. Pods in the cluster stay as they are."""
        self._watch.stop()
        workers = list(self._workers.values())
        for worker in workers:
            worker.vanish()
        for worker in workers:
            worker.join()
        self._log_server.stop()
        shutil.rmtree(self._folder)

    def play(self, namespace: str, outcome: Callable[[Pod], Outcome]) -> None:
        """From now on pods of this namespace are not run; they end as `outcome` says."""
        self._played[namespace] = outcome

    def evict(self, namespace: str, pod: str, ended_ago: float = 60.0) -> None:
        """Ends a pod as under node pressure: SIGTERM, grace, phase Failed, condition DisruptionTarget.

        The Job controller replaces such a pod ten seconds after its end: so the end is reported `ended_ago` seconds
        too early. For an eviction through the API, post an Eviction: it is a deletion.
        """
        worker, spec = self._worker(namespace, pod), self._client.get(_pod_path(namespace, pod))["spec"]
        grace = float(spec.get("terminationGracePeriodSeconds", 30))
        worker.stop(Stop(grace, disruption=PRESSURE, ended_ago=ended_ago))

    def lose(self, namespace: str, pod: str) -> None:
        """From now on the pod is as on a node that nobody reaches: it runs on, and no wish arrives."""
        self._lost.add(self._names[namespace, pod])

    def kill_container(
        self,
        namespace: str,
        pod: str,
        number: signal.Signals = signal.SIGKILL,
        container: str | None = None,
    ) -> None:
        """Sends a signal to a container's first process; to the first main container unless another is named."""
        spec = self._client.get(_pod_path(namespace, pod))["spec"]
        self._worker(namespace, pod).send(container or spec["containers"][0]["name"], number)

    def log(self, namespace: str, pod: str, container: str) -> ContainerLog:
        """A container's log. Raises LogsUnavailable."""
        try:
            worker = self._worker(namespace, pod)
        except LookupError:
            raise LogsUnavailable(404, f'pod "{pod}" not found') from None
        return worker.log(container)

    def _worker(self, namespace: str, pod: str) -> PodWorker:
        with self._lock:
            return self._workers[self._names[namespace, pod]]

    def _on_pod(self, pod: Pod) -> None:
        """Called by the watch alone, so that a pod is bound once and gets one worker."""
        metadata, node = pod["metadata"], pod["spec"].get("nodeName")
        if metadata["uid"] in self._lost:
            return
        if node is None and "deletionTimestamp" not in metadata:
            self._bind(pod)
        if node != self.name:
            return
        if worker := self._workers.get(metadata["uid"]):
            worker.update(pod)
        else:
            self._take(pod)

    def _take(self, pod: Pod) -> None:
        metadata = pod["metadata"]
        folder = self._folder / metadata["uid"]
        worker = PodWorker(pod, self._sandbox(pod, folder), folder, self._client)
        with self._lock:
            self._workers[metadata["uid"]] = worker
            self._names[metadata["namespace"], metadata["name"]] = metadata["uid"]
        worker.begin()

    def _sandbox(self, pod: Pod, folder: Path) -> Sandbox:
        if outcome := self._played.get(pod["metadata"]["namespace"]):
            return PlayedSandbox(pod, outcome(pod))
        return ProcessSandbox(pod, folder, self.images, self._client)

    def _on_gone(self, uid: str) -> None:
        if uid in self._lost:
            return
        with self._lock:
            worker = self._workers.pop(uid, None)
        if worker is None:
            return
        worker.vanish()
        worker.join()
        shutil.rmtree(self._folder / uid, ignore_errors=True)

    def _bind(self, pod: Pod) -> None:
        """Does the scheduler's work: a pod that asks for other nodes is left pending, with the scheduler's words."""
        metadata = pod["metadata"]
        path = _pod_path(metadata["namespace"], metadata["name"])
        wanted = pod["spec"].get("nodeSelector") or {}
        target = {"apiVersion": "v1", "kind": "Node", "name": self.name}
        binding = {"metadata": {"name": metadata["name"], "uid": metadata["uid"]}, "target": target}
        try:
            if wanted.items() <= self._labels.items():
                self._client.post(f"{path}/binding", binding)
            else:
                self._client.patch(f"{path}/status", {"status": {"conditions": [_UNSCHEDULABLE]}})
        except ApiError as error:
            # Bound already (the watch told of an older state), or gone.
            if error.status not in (404, 409):
                raise


_UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
}


def _pod_path(namespace: str, pod: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods/{pod}"


def _node_status(log_port: int) -> dict[str, Any]:
    capacity = {"cpu": "1k", "memory": "1Ti", "pods": "10k"}
    return {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": log_port}},
        "capacity": capacity,
        "allocatable": capacity,
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
    }
