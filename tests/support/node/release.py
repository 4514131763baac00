"""The chart as an administrator has it in a cluster: installed, upgraded, looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.controlplane import Cluster
from support.fix_chart import Helm
from support.waiting import wait_until

RELEASE = "headway"
PATIENCE = "300s"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
TAKEN_OVER_WITHIN = 120.0
GAVE_UP_THE_LEAD = (
    "giving up: the Lease could not be renewed for",
    "headway-operator: the Lease ran out while work went on; ended",
)


class Release:
    """One release of the chart; its names are those that the chart gives by itself."""

    def __init__(self, cluster: Cluster, helm: Helm, chart: Path, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self._helm = helm
        self._chart = chart
        self._image = ""

    def install(self, image: str) -> None:
        """Returns when the operator's pods are ready."""
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.namespace, "labels": RESTRICTED},
        }
        self.cluster.client.apply(f"/api/v1/namespaces/{self.namespace}", body)
        self._image = image
        repository, tag = image.rsplit(":", 1)
        values = f"image.repository={repository},image.tag={tag}"
        self._run("install", RELEASE, self._chart, "--set-string", values, "--wait", "--timeout", PATIENCE)

    def upgrade(self, **values: str) -> None:
        """Change values of the release; returns when its new pods are ready and the old ones are replaced."""
        settings = ",".join(f"{name}={value}" for name, value in values.items())
        self._run(
            "upgrade",
            RELEASE,
            self._chart,
            "--reuse-values",
            "--set",
            settings,
            "--wait",
            "--timeout",
            PATIENCE,
        )

    def test(self) -> str:
        """What `helm test` says; fails when its pod does."""
        return self._run("test", RELEASE, "--timeout", PATIENCE)

    def uninstall(self) -> None:
        """Take it away; the definition and the resources stay."""
        self._run("uninstall", RELEASE, "--wait", "--timeout", PATIENCE)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Not installed meanwhile; what was installed in its place under its name goes, too."""
        self.uninstall()
        try:
            yield
        finally:
            if RELEASE in self._run("list", "--short").split():
                self.uninstall()
            self.install(self._image)

    def pods(self) -> dict[str, dict[str, Any]]:
        """The operator's pods by name."""
        query = "labelSelector=app.kubernetes.io/component=operator"
        items = self.cluster.client.get(f"/api/v1/namespaces/{self.namespace}/pods?{query}")["items"]
        return {item["metadata"]["name"]: item for item in items}

    def leader(self) -> str:
        """The name of the pod that leads, empty when none does."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases/{RELEASE}"
        holder = self.cluster.client.get(path)["spec"].get("holderIdentity") or ""
        return str(holder).rpartition("_")[0]

    def wait_for_leader_other_than(self, name: str) -> str:
        """Until another pod, which is ready, leads."""

        def follower() -> str:
            leader = self.leader()
            return leader if leader not in ("", name) and _is_ready(self.pods().get(leader, {})) else ""

        return wait_until(follower, TAKEN_OVER_WITHIN, f"another leader than {name}")

    def delete_pod(self, name: str, *, at_once: bool = False) -> None:
        """As `kubectl delete pod`, with `--force --grace-period=0` when it shall end without a word."""
        force = ("--force", "--grace-period=0") if at_once else ("--wait=false",)
        done = self.cluster.kubectl("-n", self.namespace, "delete", "pod", name, *force)
        assert done.returncode == 0, done.stderr

    def restarted(self) -> list[str]:
        """Of each pod whose container ended by itself, why it did, unless it gave up the lead as it must.

        A leader that a busy machine keeps from renewing its Lease ends before another may take it.
        """
        pods = self.pods().items()
        names = [name for name, pod in pods if pod["status"]["containerStatuses"][0]["restartCount"]]
        said = [self.last_words(name) for name in names]
        return [words for words in said if not any(reason in words for reason in GAVE_UP_THE_LEAD)]

    def last_words(self, name: str) -> str:
        """Why a pod's container ended before its restart, with the end of its log."""
        state = self.pods()[name]["status"]["containerStatuses"][0]["lastState"]
        log = self.cluster.kubectl("-n", self.namespace, "logs", name, "--previous", "--tail=20").stdout
        return f"{name}: {state}\n{log}"

    def _run(self, *arguments: str | Path) -> str:
        return self._helm(
            *arguments, "-n", self.namespace, kubeconfig=self.cluster.kubeconfig, patience=360.0
        )


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
