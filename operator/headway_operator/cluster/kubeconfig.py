"""What a context of a kubeconfig says that the kubernetes package leaves out: namespace, user, proxy, name in TLS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Context:
    """Of the context that is meant."""

    namespace: str = "default"
    user: Mapping[str, Any] | None = None
    proxy: str = ""
    """``proxy-url`` of the cluster."""
    server_name: str = ""
    """``tls-server-name`` of the cluster: what its certificate is checked for."""


def context_of(file: str, context: str) -> Context:
    """Of this file, else of those that ``KUBECONFIG`` or the home folder has; an empty context is the current one.

    Raises what the kubernetes package raises: ``ConfigException``, and ``yaml.YAMLError`` for a file that is no YAML.
    """
    from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigMerger

    merged = KubeConfigMerger(file or KUBE_CONFIG_DEFAULT_LOCATION).config  # type: ignore[no-untyped-call]
    used = merged["contexts"].get_with_name(context or merged["current-context"])["context"]
    cluster = merged["clusters"].get_with_name(used["cluster"])["cluster"]
    chosen = used.safe_get("user")
    named = merged["users"].get_with_name(chosen, safe=True) if chosen and merged.safe_get("users") else None
    return Context(
        namespace=str(used.safe_get("namespace") or "default"),
        user=None if named is None else named.safe_get("user"),
        proxy=str(cluster.safe_get("proxy-url") or ""),
        server_name=str(cluster.safe_get("tls-server-name") or ""),
    )
