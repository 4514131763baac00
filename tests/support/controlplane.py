"""A real control plane on this machine: etcd, kube-apiserver and the few controllers that Jobs need.

No scheduler and no node: pods wait until something (the process kubelet) takes them. RBAC is on. The API server can
be stopped and started again on the same port with the same data.
"""

import http.client
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from support.apiclient import ApiClient, ApiError
from support.certificates import Authority
from support.processes import ServerProcess, free_port
from support.waiting import wait_until

# No node-lifecycle controller: the bench's node sends no heartbeats and must not be declared dead.
CONTROLLERS = (
    "job-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "pod-garbage-collector-controller",
    "ttl-after-finished-controller",
)
WITH_NODES = (
    *CONTROLLERS,
    "deployment-controller",
    "replicaset-controller",
    "node-lifecycle-controller",
    "taint-eviction-controller",
    "disruption-controller",
)
"""The controllers of a cluster whose pods run on a node, and in which something is deployed."""

READY_WITHIN = 60.0
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class Cluster:
    """A cluster that the tests may do anything with.

    `kubeconfig` is the administrator's file, `client` a raw client with it.
    """

    def __init__(self, kubeconfig: Path, kubectl: Path) -> None:
        self.kubeconfig = kubeconfig
        self.client = ApiClient.from_kubeconfig(kubeconfig)
        self._kubectl = kubectl

    def kubectl_command(self, *arguments: str) -> list[str]:
        """The same as a command line, for a kubectl that goes on in the background."""
        return [str(self._kubectl), f"--kubeconfig={self.kubeconfig}", *arguments]

    def kubectl(self, *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs kubectl as administrator; the caller looks at the return code, stdout and stderr."""
        return subprocess.run(
            self.kubectl_command(*arguments),
            input=input,
            capture_output=True,
            text=True,
            check=False,
        )

    def install_crds(self, files: Sequence[Path]) -> None:
        """Applies the definitions and returns when the first resource of each kind is accepted (about 2 s)."""
        definitions = [document for file in files for document in yaml.safe_load_all(file.read_text())]
        for definition in definitions:
            self.client.apply(f"{CRDS}/{definition['metadata']['name']}", definition, manager="test-bench")
        for definition in definitions:
            name = definition["metadata"]["name"]
            wait_until(lambda: self._accepts(definition), what=f"the first resource of {name}")  # noqa: B023

    def _accepts(self, definition: dict[str, Any]) -> bool:
        """True once a resource is judged by its schema: a write to a fresh kind is 404 or 429 for two seconds."""
        spec = definition["spec"]
        version, plural = spec["versions"][0]["name"], spec["names"]["plural"]
        scope = "namespaces/default/" if spec["scope"] == "Namespaced" else ""
        path = f"/apis/{spec['group']}/{version}/{scope}{plural}?dryRun=All"
        probe = {
            "apiVersion": f"{spec['group']}/{version}",
            "kind": spec["names"]["kind"],
            "metadata": {"name": "probe"},
        }
        try:
            self.client.post(path, probe)
        except ApiError as answer:
            return answer.status == http.client.UNPROCESSABLE_ENTITY
        return True


@dataclass(frozen=True)
class Shape:
    """How a control plane differs from that of most tests: where it is reached (port 0: a free one), and by whom."""

    address: str = "127.0.0.1"
    port: int = 0
    has_nodes: bool = False

    @property
    def controllers(self) -> tuple[str, ...]:
        """Those that run."""
        return WITH_NODES if self.has_nodes else CONTROLLERS


ALONE = Shape()


class ControlPlane(Cluster):
    """Start with `ControlPlane.start(folder, binaries, crds)`; `stop()` at the end, whatever happened."""

    def __init__(self, folder: Path, binaries: Path, shape: Shape = ALONE) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.port = shape.port or free_port()
        self.server = f"https://{shape.address}:{self.port}"
        self._users: dict[str, list[dict[str, Any]]] = {}
        self.authority = _issue_certificates(folder / "certificates")
        super().__init__(self.authority.kubeconfig("admin", self.server), binaries / "kubectl")
        etcd_address = f"http://127.0.0.1:{free_port()}"
        self._etcd = ServerProcess(
            _etcd_arguments(binaries, folder / "etcd", etcd_address), self.logs / "etcd.log"
        )
        self._api_server = ServerProcess(
            [
                *_api_server_arguments(binaries, self.authority.folder, etcd_address),
                f"--bind-address={shape.address}",
                f"--advertise-address={shape.address}",
                f"--secure-port={self.port}",
                *(_node_arguments(self.authority.folder) if shape.has_nodes else ()),
            ],
            self.logs / "kube-apiserver.log",
        )
        self._controllers = ServerProcess(
            [
                *_controller_arguments(
                    binaries, self.authority, self.authority.kubeconfig("controllers", self.server)
                ),
                f"--controllers={','.join(shape.controllers)}",
            ],
            self.logs / "kube-controller-manager.log",
        )

    @classmethod
    def start(
        cls, folder: Path, binaries: Path, crds: Sequence[Path] = (), shape: Shape = ALONE
    ) -> "ControlPlane":
        """Everything running and ready, with `crds` installed. Takes 3 s, with definitions 5 s.

        Definitions come before the controllers: the garbage collector looks for new kinds only every 30 s.
        """
        control_plane = cls(folder, binaries, shape)
        try:
            control_plane._etcd.start()
            control_plane._api_server.start()
            wait_until(control_plane._is_ready, READY_WITHIN, "the API server to be ready")
            wait_until(control_plane._has_default_namespace, what="the namespace default")
            control_plane.install_crds(crds)
            control_plane._controllers.start()
        except BaseException:
            control_plane.stop()
            raise
        return control_plane

    def stop_api_server(self) -> None:
        """Takes the API server away, as in an upgrade or a crash: connections break, then are refused.

        The controllers stop too. Left alone, they would come back only up to half a minute after it.
        """
        self._controllers.stop()
        self._api_server.stop(patience=2)

    def start_api_server(self) -> None:
        """Brings the API server back and returns when it is ready; nothing happens when it runs."""
        if self._api_server.is_running():
            return
        self._api_server.start()
        wait_until(self._is_ready, READY_WITHIN, "the API server to be ready")
        self._controllers.start()

    def stop(self) -> None:
        """Ends all servers; the folder with data and logs stays."""
        self.client.close()
        for server in (self._controllers, self._api_server, self._etcd):
            server.stop()

    def kubeconfig_for(self, user: str, rules: Sequence[dict[str, Any]] = ()) -> Path:
        """The kubeconfig of a user who may do, cluster-wide, what the RBAC `rules` say and nothing else.

        The rules count when it returns: the API server judges by what it has seen of them, which takes a moment. For
        the same reason a user keeps the rules that it was made with.
        """
        assert self._users.setdefault(user, [*rules]) == [*rules], f"{user} is there with other rules"
        self.authority.issue_client(user, user)
        group = "rbac.authorization.k8s.io"
        role = {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": user},
            "rules": [*rules],
        }
        binding = {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": user},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": user},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }
        self.client.apply(f"/apis/{group}/v1/clusterroles/{user}", role)
        self.client.apply(f"/apis/{group}/v1/clusterrolebindings/{user}", binding)
        wait_until(lambda: self._may_all(user, rules), what=f"the rules of {user} to count")
        return self.authority.kubeconfig(user, self.server)

    def _may_all(self, user: str, rules: Sequence[dict[str, Any]]) -> bool:
        """Whether the API server would let this user do all that the rules allow."""
        asked = [
            _review(user, group, resource, verb)
            for rule in rules
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        ]
        return all(self.client.post(REVIEWS, one)["status"]["allowed"] for one in asked)

    def _is_ready(self) -> bool:
        self._etcd.require_running()
        self._api_server.require_running()
        with suppress(OSError, http.client.HTTPException, ApiError):
            return self.client.text("/readyz") == "ok"
        return False

    def _has_default_namespace(self) -> bool:
        with suppress(ApiError):
            return bool(self.client.get("/api/v1/namespaces/default"))
        return False


def _review(user: str, group: str, resource: str, verb: str) -> dict[str, Any]:
    """The question whether this user may do that in every namespace."""
    name, _, part = resource.partition("/")
    attributes = {"group": group, "resource": name, "subresource": part, "verb": verb}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }


def _issue_certificates(folder: Path) -> Authority:
    authority = Authority(folder)
    authority.issue_server(
        "serving", ["127.0.0.1", "10.97.0.1"], ["localhost", "kubernetes.default", "kubernetes.default.svc"]
    )
    authority.issue_client("admin", "admin", ["system:masters"])
    authority.issue_client("controllers", "system:kube-controller-manager")
    authority.issue_client("api-server", "kube-apiserver-kubelet-client", ["system:masters"])
    authority.issue_signing_keys("service-accounts")
    return authority


def _etcd_arguments(binaries: Path, data: Path, address: str) -> list[str]:
    peer = f"http://127.0.0.1:{free_port()}"
    return [
        f"{binaries}/etcd",
        "--name=test",
        f"--data-dir={data}",
        f"--listen-client-urls={address}",
        f"--advertise-client-urls={address}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=test={peer}",
        "--logger=zap",
        "--log-level=warn",
        "--unsafe-no-fsync",
    ]


def _node_arguments(certificates: Path) -> list[str]:
    """How the API server reaches kubelets, whose certificates are of the same authority."""
    return [
        "--allow-privileged=true",
        f"--kubelet-certificate-authority={certificates}/ca.crt",
        f"--kubelet-client-certificate={certificates}/api-server.crt",
        f"--kubelet-client-key={certificates}/api-server.key",
    ]


def _api_server_arguments(binaries: Path, certificates: Path, etcd: str) -> list[str]:
    return [
        f"{binaries}/kube-apiserver",
        f"--etcd-servers={etcd}",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.97.0.0/24",
        "--authorization-mode=Node,RBAC",
        "--anonymous-auth=false",
        "--kubelet-preferred-address-types=InternalIP",
        f"--client-ca-file={certificates}/ca.crt",
        f"--tls-cert-file={certificates}/serving.crt",
        f"--tls-private-key-file={certificates}/serving.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={certificates}/service-accounts.pub",
        f"--service-account-signing-key-file={certificates}/service-accounts.key",
    ]


def _controller_arguments(binaries: Path, authority: Authority, kubeconfig: Path) -> list[str]:
    return [
        f"{binaries}/kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={authority.folder}/service-accounts.key",
        f"--root-ca-file={authority.certificate}",
        # The defaults (20 requests a second) would make the controllers the slowest part of a test of scale.
        "--kube-api-qps=1000",
        "--kube-api-burst=1000",
    ]
