"""How the runner gets into the user's image: an init container copies it into a volume that both containers mount."""

from typing import Any

from headway_contract.control import ANNOTATION
from headway_operator.manifests.request import CONTROL_FILE, CONTROL_FOLDER
from headway_operator.settings import Settings

RUNNER_FOLDER = "/headway"
_RUNNER_VOLUME = "headway-runner"
_CONTROL_VOLUME = "headway-control"

RESTRICTED: dict[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""What the restricted Pod Security Standard asks of each container."""


def volumes() -> list[dict[str, Any]]:
    """The runner's folder, and the pod's annotation as a file that follows its changes."""
    annotation = {"path": CONTROL_FILE, "fieldRef": {"fieldPath": f"metadata.annotations['{ANNOTATION}']"}}
    return [
        {"name": _RUNNER_VOLUME, "emptyDir": {}},
        {"name": _CONTROL_VOLUME, "downwardAPI": {"items": [annotation]}},
    ]


def mounts() -> list[dict[str, Any]]:
    """What the user's container sees of them."""
    return [
        {"name": _RUNNER_VOLUME, "mountPath": RUNNER_FOLDER, "readOnly": True},
        {"name": _CONTROL_VOLUME, "mountPath": CONTROL_FOLDER, "readOnly": True},
    ]


def init_container(settings: Settings) -> dict[str, Any]:
    """Copies the runner; small enough for any quota, which may ask for requests and limits."""
    return {
        "name": "headway",
        "image": settings.runner_image,
        "command": ["python3", "-m", "headway_runner.inject", RUNNER_FOLDER],
        "volumeMounts": [{"name": _RUNNER_VOLUME, "mountPath": RUNNER_FOLDER}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"cpu": "1", "memory": "128Mi"},
        },
        "securityContext": {**RESTRICTED, "readOnlyRootFilesystem": True},
    }
