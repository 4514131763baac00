"""A pod's volumes as local folders.

emptyDir, secret, configMap, downwardAPI and projected volumes. Rule: a file changes all at once (written beside, then
renamed), like the kubelet's swap of a link; only downward API files change after the start.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.apiclient import ApiClient
from support.process_kubelet.fields import field_text
from support.process_kubelet.obstacles import NotYet
from support.process_kubelet.sources import require_source

Files = dict[str, bytes]


class Volumes:
    """The volumes of one pod below `folder`."""

    def __init__(self, pod: dict[str, Any], folder: Path, client: ApiClient) -> None:
        self._volumes: list[dict[str, Any]] = pod["spec"].get("volumes") or []
        self._folder = folder
        self._client = client

    def prepare(self, pod: dict[str, Any]) -> None:
        """Makes and fills all folders. Raises NotYet when a Secret or ConfigMap is missing."""
        for volume in self._volumes:
            folder = self._folder / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            for source in _sources(volume):
                _write_changed(folder, self._files(source, pod))

    def refresh(self, pod: dict[str, Any]) -> None:
        """Writes the downward API files that the pod's labels and annotations have changed."""
        for volume in self._volumes:
            folder = self._folder / volume["name"]
            for source in _sources(volume):
                if "downwardAPI" in source and folder.is_dir():
                    _write_changed(folder, _downward_files(source["downwardAPI"], pod))

    def mounts(self, container: dict[str, Any]) -> dict[str, Path]:
        """Local paths of the container's volume mounts by container path."""
        return {
            mount["mountPath"]: self._folder / mount["name"] / mount.get("subPath", "")
            for mount in container.get("volumeMounts") or []
        }

    def _files(self, source: dict[str, Any], pod: dict[str, Any]) -> Files:
        match source:
            case {"emptyDir": _}:
                return {}
            case {"downwardAPI": downward}:
                return _downward_files(downward, pod)
            case {"secret": secret}:
                return self._stored("Secret", secret.get("secretName") or secret["name"], secret, pod)
            case {"configMap": config_map}:
                return self._stored("ConfigMap", config_map["name"], config_map, pod)
            case {"serviceAccountToken": request}:
                return {request["path"]: self._token(request, pod)}
            case other:
                raise NotYet("ContainerCreating", f"the process kubelet does not know a volume like {other}")

    def _stored(self, kind: str, name: str, source: dict[str, Any], pod: dict[str, Any]) -> Files:
        namespace = pod["metadata"]["namespace"]
        try:
            content = require_source(self._client, namespace, kind, name, bool(source.get("optional")))
        except NotYet as missing:
            # Unlike a missing variable, a missing volume leaves the pod as it was before its containers.
            raise NotYet("ContainerCreating", missing.message) from missing
        items = source.get("items") or [{"key": key, "path": key} for key in content]
        return {item["path"]: content[item["key"]] for item in items}

    def _token(self, request: dict[str, Any], pod: dict[str, Any]) -> bytes:
        metadata, account = pod["metadata"], pod["spec"]["serviceAccountName"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {"boundObjectRef": bound, "expirationSeconds": request.get("expirationSeconds", 3600)}
        if audience := request.get("audience"):
            spec["audiences"] = [audience]
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return str(self._client.post(path, body)["status"]["token"]).encode()


def _sources(volume: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A projected volume is several sources in one folder; every other is one."""
    if "projected" in volume:
        yield from volume["projected"]["sources"]
    else:
        yield {kind: source for kind, source in volume.items() if kind != "name"}


def _downward_files(source: dict[str, Any], pod: dict[str, Any]) -> Files:
    return {
        item["path"]: field_text(pod, item["fieldRef"]["fieldPath"]).encode()
        for item in source.get("items") or []
    }


def _write_changed(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        if path.exists() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"..{path.name}.new")
        beside.write_bytes(content)
        beside.rename(path)
