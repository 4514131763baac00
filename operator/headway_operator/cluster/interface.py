"""What the controller needs of a cluster, and nothing more: JSON objects in and out, typed errors.

``kube.KubeCluster`` speaks to an API server, ``local.LocalCluster`` runs Jobs as processes of this machine, and the
tests have one in memory.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from headway_operator.api.migration import Workload

Body = dict[str, Any]


@dataclass(frozen=True, order=True)
class Key:
    """Which resource."""

    namespace: str
    name: str


class ClusterError(Exception):
    """A call that did not succeed; the message is for a log, without credentials."""


class NotFound(ClusterError):
    """There is no such object (any more)."""


class Conflict(ClusterError):
    """Somebody else has written since it was read, or an object of this name exists already."""


class Invalid(ClusterError):
    """The API server refuses the object itself: trying again without a change is no use."""


class Forbidden(ClusterError):
    """A permission, a quota or an admission policy is in the way: it may be granted later."""


class Unavailable(ClusterError):
    """The API server could not be asked, or asks for patience: try again later."""


class Cluster(Protocol):
    """Every method raises :class:`ClusterError` of the fitting kind."""

    async def get_migration(self, key: Key) -> Body:
        """The resource; :class:`NotFound` when it is gone."""

    async def list_migrations(self) -> Sequence[Body]:
        """All resources of the watched namespaces."""

    async def list_jobs(self, key: Key, uid: str) -> Sequence[Body]:
        """The Jobs that belong to the resource of this uid, by label."""

    async def list_pods(self, key: Key, uid: str) -> Sequence[Body]:
        """Their pods, by label."""

    async def create_job(self, namespace: str, job: Body) -> None:
        """Create it; :class:`Conflict` when one of this name exists."""

    async def get_job(self, namespace: str, name: str) -> Body:
        """One Job; :class:`NotFound`."""

    async def delete_job(self, namespace: str, name: str) -> None:
        """Delete it with its pods, which get their grace period; none of that name is no error."""

    async def get_workload(self, namespace: str, workload: Workload) -> Body:
        """A Deployment or StatefulSet; :class:`NotFound`."""

    async def set_finalizers(self, key: Key, resource_version: str, finalizers: Sequence[str]) -> str:
        """Replace them and return the new resourceVersion; :class:`Conflict` when it changed meanwhile."""

    async def apply_status(self, key: Key, resource_version: str, status: Mapping[str, Any]) -> str:
        """Server-side apply of the whole status; the new resourceVersion; :class:`Conflict` as above."""

    async def annotate_pod(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Merge these annotations; :class:`NotFound`."""

    async def post_event(self, namespace: str, event: Body) -> None:
        """Create an ``events.k8s.io/v1`` event; one of this name already being there is no error."""

    def read_log(self, namespace: str, pod: str) -> AsyncGenerator[str, None]:
        """Lines of the main container's log as it is now; of a line without an end only the start."""

    def follow_log(self, namespace: str, pod: str, since: str) -> AsyncGenerator[str, None]:
        """Lines of the main container's log from this RFC 3339 time on ("" is the beginning), until it closes."""
