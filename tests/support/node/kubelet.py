"""The real kubelet, registered as a node, which tests may stop and start again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.certificates import Authority
from support.node.network import GATEWAY
from support.processes import ServerProcess

NODE = "node-1"
_NEVER = (
    "memory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
)


class Kubelet:
    """`start` and `stop` as often as wished: pods go on meanwhile."""

    def __init__(
        self, binaries: Path, folder: Path, containerd: Path, authority: Authority, server: str
    ) -> None:
        authority.issue_client("node", f"system:node:{NODE}", ["system:nodes"])
        authority.issue_server("kubelet", [GATEWAY], [NODE])
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "configuration.json"
        configuration.write_text(json.dumps(_configuration(folder, containerd, authority.folder), indent=2))
        command = [
            f"{binaries}/kubelet",
            f"--config={configuration}",
            f"--kubeconfig={authority.kubeconfig('node', server)}",
            f"--hostname-override={NODE}",
            f"--node-ip={GATEWAY}",
            f"--root-dir={folder / 'root'}",
            f"--cert-dir={folder / 'certificates'}",
        ]
        self._process = ServerProcess(command, folder.with_name("logs") / "kubelet.log")

    def start(self) -> None:
        """Returns at once; the node is ready when the API server says so."""
        self._process.start()

    def stop(self) -> None:
        """The pods go on."""
        self._process.stop(patience=10)

    def require_running(self) -> None:
        """Raises RuntimeError with the end of its log when it has ended by itself."""
        self._process.require_running()


def _configuration(folder: Path, containerd: Path, certificates: Path) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": GATEWAY,
        "readOnlyPort": 0,
        "healthzPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": f"{certificates}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{certificates}/kubelet.crt",
        "tlsPrivateKeyFile": f"{certificates}/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{containerd}",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": ["none"],
        "makeIPTablesUtilChains": False,
        "maxOpenFiles": 20_000,
        "oomScoreAdj": 0,
        "podLogsDir": str(folder / "logs"),
        "volumePluginDir": str(folder / "plugins"),
        "seccompDefault": True,
        "containerLogMaxSize": "200Mi",
        "containerLogMaxFiles": 2,
        # A developer's disk is often nearly full, and the images cannot be pulled again.
        "evictionHard": dict.fromkeys(_NEVER, "0%"),
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }
