"""The Lease that says which operator leads, at an API server (``coordination.k8s.io/v1``)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from headway_operator.cluster.api_server import ApiServer
from headway_operator.cluster.interface import Body, NotFound
from headway_operator.planner.election import Lease

MICRO_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class KubeLeases:
    """One Lease; every method raises :class:`~headway_operator.cluster.interface.ClusterError`."""

    def __init__(self, api: ApiServer, namespace: str, name: str, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now
        self._name = name
        self._collection = f"apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"

    async def close(self) -> None:
        """Close the session."""
        await self._api.close()

    async def read(self) -> Lease | None:
        """The Lease as it is, None when there is none."""
        try:
            return _parsed(await self._api.json("GET", f"{self._collection}/{self._name}"))
        except NotFound:
            return None

    async def write(self, lease: Lease) -> Lease:
        """Create it, or replace the version that it names; :class:`Conflict` when somebody was faster."""
        body = self._body(lease)
        if lease.version:
            return _parsed(await self._api.json("PUT", f"{self._collection}/{self._name}", body))
        return _parsed(await self._api.json("POST", self._collection, body))

    def _body(self, lease: Lease) -> Body:
        metadata: dict[str, Any] = {"name": self._name}
        if lease.version:
            metadata["resourceVersion"] = lease.version
        now = self._now().strftime(MICRO_TIME)
        spec: dict[str, Any] = {
            "holderIdentity": lease.holder,
            "leaseDurationSeconds": lease.seconds,
            "leaseTransitions": lease.transitions,
            "renewTime": now,
            "acquireTime": lease.acquired or now,
        }
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": spec,
        }


def _parsed(body: Body) -> Lease:
    spec = body.get("spec") or {}
    return Lease(
        holder=spec.get("holderIdentity") or "",
        renewed=spec.get("renewTime") or "",
        acquired=spec.get("acquireTime") or "",
        seconds=spec.get("leaseDurationSeconds") or 0,
        transitions=spec.get("leaseTransitions") or 0,
        version=body["metadata"]["resourceVersion"],
    )
