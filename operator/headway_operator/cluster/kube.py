"""The cluster behind an API server.

Every call that writes names the version or the name that makes a second one harmless; the queue makes it.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from headway_operator.api import labels
from headway_operator.api.migration import API_VERSION, GROUP, KIND, PLURAL, VERSION, Workload
from headway_operator.cluster.api_server import APPLY, MERGE, ApiServer
from headway_operator.cluster.interface import Body, Conflict, Key, NotFound

FIELD_MANAGER = "headway-operator"
PAGE = 500
MAIN = {"container": labels.MAIN_CONTAINER}
"""Without it the log of a pod with a further container is refused."""


class KubeCluster:
    """Implements :class:`~headway_operator.cluster.interface.Cluster`; ``namespaces`` empty: all of them."""

    def __init__(self, api: ApiServer, namespaces: Sequence[str] = ()) -> None:
        self._api = api
        self._namespaces = tuple(namespaces)

    async def close(self) -> None:
        """Close the session."""
        await self._api.close()

    async def has_definition(self) -> bool:
        """Whether there are such resources to list; :class:`Forbidden` when this user may not."""
        try:
            for namespace in self._namespaces or ("",):
                path = _collection(f"apis/{GROUP}/{VERSION}", namespace, PLURAL)
                await self._api.json("GET", path, query={"limit": "1"})
        except NotFound:
            return False
        return True

    async def get_migration(self, key: Key) -> Body:
        """The resource; :class:`NotFound` when it is gone."""
        return await self._api.json("GET", _migration(key))

    async def list_migrations(self) -> Sequence[Body]:
        """All resources of the watched namespaces."""
        found: list[Body] = []
        for namespace in self._namespaces or ("",):
            found += await self._pages(_collection(f"apis/{GROUP}/{VERSION}", namespace, PLURAL))
        return found

    async def list_jobs(self, key: Key, uid: str) -> Sequence[Body]:
        """The Jobs that belong to the resource of this uid, by label."""
        return await self._labelled(_collection("apis/batch/v1", key.namespace, "jobs"), uid)

    async def list_pods(self, key: Key, uid: str) -> Sequence[Body]:
        """Their pods, by label."""
        return await self._labelled(_collection("api/v1", key.namespace, "pods"), uid)

    async def create_job(self, namespace: str, job: Body) -> None:
        """Create it; :class:`Conflict` when one of this name exists."""
        await self._api.request("POST", _collection("apis/batch/v1", namespace, "jobs"), job)

    async def get_job(self, namespace: str, name: str) -> Body:
        """One Job; :class:`NotFound`."""
        return await self._api.json("GET", f"{_collection('apis/batch/v1', namespace, 'jobs')}/{name}")

    async def delete_job(self, namespace: str, name: str) -> None:
        """Delete it with its pods, which get their grace period; none of that name is no error."""
        path = f"{_collection('apis/batch/v1', namespace, 'jobs')}/{name}"
        try:
            # Foreground: the Job stays in sight until its pods are gone, so it counts as active until then.
            await self._api.request("DELETE", path, {"propagationPolicy": "Foreground"})
        except NotFound:
            return

    async def get_workload(self, namespace: str, workload: Workload) -> Body:
        """A Deployment or StatefulSet; :class:`NotFound`."""
        plural = "deployments" if workload.deployment else "statefulsets"
        name = workload.deployment or workload.stateful_set
        return await self._api.json("GET", f"{_collection('apis/apps/v1', namespace, plural)}/{name}")

    async def set_finalizers(self, key: Key, resource_version: str, finalizers: Sequence[str]) -> str:
        """Replace them and return the new resourceVersion; :class:`Conflict` when it changed meanwhile."""
        metadata = {"resourceVersion": resource_version, "finalizers": list(finalizers)}
        return _version_of(await self._api.json("PATCH", _migration(key), {"metadata": metadata}, MERGE))

    async def apply_status(self, key: Key, resource_version: str, status: Mapping[str, Any]) -> str:
        """Server-side apply of the whole status; the new resourceVersion; :class:`Conflict` as above."""
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": key.name, "namespace": key.namespace, "resourceVersion": resource_version},
            "status": status,
        }
        path = f"{_migration(key)}/status?fieldManager={FIELD_MANAGER}&force=true"
        return _version_of(await self._api.json("PATCH", path, body, APPLY))

    async def annotate_pod(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Merge these annotations; :class:`NotFound`."""
        body = {"metadata": {"annotations": dict(annotations)}}
        await self._api.request("PATCH", f"{_collection('api/v1', namespace, 'pods')}/{name}", body, MERGE)

    async def post_event(self, namespace: str, event: Body) -> None:
        """Create an ``events.k8s.io/v1`` event; one of this name already being there is no error."""
        try:
            await self._api.request("POST", _collection("apis/events.k8s.io/v1", namespace, "events"), event)
        except Conflict:
            return

    async def read_log(self, namespace: str, pod: str) -> AsyncGenerator[str, None]:
        """Lines of the main container's log as it is now: never the whole, which may be larger than this process."""
        async for line in self._api.lines(_log(namespace, pod), MAIN):
            yield line

    async def follow_log(self, namespace: str, pod: str, since: str) -> AsyncGenerator[str, None]:
        """Lines of the main container's log from this RFC 3339 time on ("" is the beginning), until it closes."""
        query = MAIN | {"follow": "true"} | ({"sinceTime": since} if since else {})
        async for line in self._api.lines(_log(namespace, pod), query):
            yield line

    async def _labelled(self, path: str, uid: str) -> list[Body]:
        return await self._pages(path, {"labelSelector": labels.selector_of(uid)})

    async def _pages(self, path: str, query: Mapping[str, str] | None = None) -> list[Body]:
        items: list[Body] = []
        page = {**(query or {}), "limit": str(PAGE)}
        while True:
            found = await self._api.json("GET", path, query=page)
            items += found["items"]
            page["continue"] = found["metadata"].get("continue", "")
            if not page["continue"]:
                return items


def _collection(prefix: str, namespace: str, plural: str) -> str:
    return f"{prefix}/namespaces/{namespace}/{plural}" if namespace else f"{prefix}/{plural}"


def _migration(key: Key) -> str:
    return f"{_collection(f'apis/{GROUP}/{VERSION}', key.namespace, PLURAL)}/{key.name}"


def _log(namespace: str, pod: str) -> str:
    return f"{_collection('api/v1', namespace, 'pods')}/{pod}/log"


def _version_of(body: Body) -> str:
    return str(body["metadata"]["resourceVersion"])
