"""Secrets and ConfigMaps, read when a container needs them."""

import base64
from typing import Any

from support.apiclient import ApiClient, ApiError
from support.process_kubelet.obstacles import NotYet

_PLURALS = {"Secret": "secrets", "ConfigMap": "configmaps"}


def read_source(client: ApiClient, namespace: str, kind: str, name: str) -> dict[str, bytes] | None:
    """The content of a Secret or ConfigMap by key, or None when there is no such object."""
    try:
        found = client.get(f"/api/v1/namespaces/{namespace}/{_PLURALS[kind]}/{name}")
    except ApiError as error:
        if error.status == 404:
            return None
        raise
    data: dict[str, Any] = found.get("data") or {}
    if kind == "Secret":
        return {key: base64.b64decode(value) for key, value in data.items()}
    binary = {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
    return {key: value.encode() for key, value in data.items()} | binary


def require_source(
    client: ApiClient, namespace: str, kind: str, name: str, optional: bool
) -> dict[str, bytes]:
    """Like `read_source`; raises NotYet for a missing one that is not optional."""
    content = read_source(client, namespace, kind, name)
    if content is None and not optional:
        raise NotYet("CreateContainerConfigError", f'{kind.lower()} "{name}" not found')
    return content or {}


def require_key(client: ApiClient, namespace: str, kind: str, reference: dict[str, Any]) -> str | None:
    """What a `secretKeyRef` or `configMapKeyRef` names; None when it is missing but optional, else NotYet."""
    name, key, optional = reference["name"], reference["key"], bool(reference.get("optional"))
    content = require_source(client, namespace, kind, name, optional)
    if key in content:
        return content[key].decode()
    if optional:
        return None
    raise NotYet("CreateContainerConfigError", f"couldn't find key {key} in {kind} {namespace}/{name}")
