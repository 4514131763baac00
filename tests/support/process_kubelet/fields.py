"""The downward API: fields of a pod as text."""

import json
import re
from typing import Any

from support.process_kubelet.obstacles import NotYet

_KEYED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_PLAIN = {
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.podIP",
    "status.hostIP",
}


def field_text(pod: dict[str, Any], path: str) -> str:
    """The text of a `fieldRef`; a missing label or annotation is empty, as in Kubernetes."""
    if keyed := _KEYED.fullmatch(path):
        return str((pod["metadata"].get(keyed[1]) or {}).get(keyed[2], ""))
    section, _, name = path.partition(".")
    if path in ("metadata.labels", "metadata.annotations"):
        pairs = sorted((pod["metadata"].get(name) or {}).items())
        return "\n".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in pairs)
    if path in ("status.podIP", "status.hostIP"):
        return "127.0.0.1"
    if path in _PLAIN:
        return str(pod[section].get(name, ""))
    raise NotYet("CreateContainerConfigError", f"the process kubelet does not know the field {path}")
