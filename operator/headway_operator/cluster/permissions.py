"""All that the operator may do in the namespaces that it watches, and whether it may. There is no rule on Secrets.

The chart's role, the page of the documentation and the role that the tests run with are compared with this table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from headway_operator.cluster.api_server import ApiServer

REVIEW = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True)
class Permission:
    """A rule of a role: one resource, or a part of it (``pods/log``)."""

    group: str
    resource: str
    verbs: tuple[str, ...]


PERMISSIONS = (
    Permission("headway.dev", "databasemigrations", ("get", "list", "watch", "patch")),
    Permission("headway.dev", "databasemigrations/status", ("patch",)),
    Permission("headway.dev", "databasemigrations/finalizers", ("update",)),
    Permission("batch", "jobs", ("get", "list", "watch", "create", "delete")),
    Permission("", "pods", ("list", "watch", "patch")),
    Permission("", "pods/log", ("get",)),
    Permission("events.k8s.io", "events", ("create",)),
    Permission("apps", "deployments", ("get",)),
    Permission("apps", "statefulsets", ("get",)),
)

LEASE = Permission("coordination.k8s.io", "leases", ("get", "create", "update"))
"""In the namespace of the Lease, when the operator contends for one."""

MUST_NOT = Permission("", "secrets", ("get", "list", "watch"))


async def objections(api: ApiServer, namespaces: Sequence[str], lease_namespace: str) -> tuple[str, ...]:
    """What this user lacks, and what it has that it should not have; raises :class:`ClusterError`."""
    found = []
    for namespace in namespaces or ("",):
        for permission in PERMISSIONS:
            found += [f"may not {one}" for one in await _answers(api, namespace, permission, False)]
        found += [f"may {one}, and must not" for one in await _answers(api, namespace, MUST_NOT, True)]
    if lease_namespace:
        found += [f"may not {one}" for one in await _answers(api, lease_namespace, LEASE, False)]
    return tuple(found)


async def _answers(api: ApiServer, namespace: str, permission: Permission, wanted: bool) -> list[str]:
    """The verbs for which the API server says ``wanted``, as words."""
    resource, _, part = permission.resource.partition("/")
    where = f"in namespace {namespace}" if namespace else "in all namespaces"
    found = []
    for verb in permission.verbs:
        attributes = {
            "namespace": namespace, "group": permission.group,
            "resource": resource, "subresource": part, "verb": verb,
        }  # fmt: skip
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        answer = await api.json("POST", REVIEW, {**review, "spec": {"resourceAttributes": attributes}})
        if bool(answer.get("status", {}).get("allowed")) is wanted:
            group = f".{permission.group}" if permission.group else ""
            found.append(f"{verb} {permission.resource}{group} {where}")
    return found
