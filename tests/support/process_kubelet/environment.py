"""A container's environment variables, and `$(NAME)` in texts.

Rule: paths are translated in what the pod's author wrote (values, ConfigMaps), never in what comes from a Secret:
that is the address of something outside of the pod.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from support.apiclient import ApiClient
from support.process_kubelet.fields import field_text
from support.process_kubelet.obstacles import NotYet
from support.process_kubelet.sources import require_key, require_source

Translate = Callable[[str], str]
_REFERENCE = re.compile(r"\$(?:\$|\(([-._a-zA-Z0-9]+)\))")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replaces `$(NAME)` by its value; unknown names stay as they are, `$$` is a dollar sign."""

    def value(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else variables.get(found[1], found[0])

    return _REFERENCE.sub(value, text)


def container_environment(
    pod: dict[str, Any], container: dict[str, Any], client: ApiClient, translate: Translate
) -> dict[str, str]:
    """`envFrom`, then `env` in order. Raises NotYet when a Secret, ConfigMap or key is missing."""
    namespace = pod["metadata"]["namespace"]
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        variables |= _all_of(source, namespace, client, translate)
    for entry in container.get("env") or []:
        value = _one(entry, pod, variables, client, translate)
        if value is not None:
            variables[entry["name"]] = value
    return variables


def _all_of(
    source: dict[str, Any], namespace: str, client: ApiClient, translate: Translate
) -> dict[str, str]:
    kind = "Secret" if "secretRef" in source else "ConfigMap"
    reference = source["secretRef" if kind == "Secret" else "configMapRef"]
    content = require_source(client, namespace, kind, reference["name"], bool(reference.get("optional")))
    prefix = source.get("prefix", "")
    texts = {prefix + key: value.decode() for key, value in content.items()}
    return texts if kind == "Secret" else {key: translate(text) for key, text in texts.items()}


def _one(
    entry: dict[str, Any],
    pod: dict[str, Any],
    variables: Mapping[str, str],
    client: ApiClient,
    translate: Translate,
) -> str | None:
    if "valueFrom" not in entry:
        return expand(translate(entry.get("value", "")), variables)
    namespace = pod["metadata"]["namespace"]
    match entry["valueFrom"]:
        case {"secretKeyRef": reference}:
            return require_key(client, namespace, "Secret", reference)
        case {"configMapKeyRef": reference}:
            text = require_key(client, namespace, "ConfigMap", reference)
            return None if text is None else translate(text)
        case {"fieldRef": reference}:
            return field_text(pod, reference["fieldPath"])
        case other:
            message = f"the process kubelet does not know env from {', '.join(other)}"
            raise NotYet("CreateContainerConfigError", message)
