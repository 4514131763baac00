"""What the planner needs to know of a Deployment or StatefulSet, out of its JSON. Pure."""

from headway_operator.api.migration import Workload
from headway_operator.cluster.interface import Body
from headway_operator.planner.snapshot import Rollout

DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"


def rollout_of(workload: Workload, body: Body) -> Rollout:
    """How its rollout stands, by the fields that ``kubectl rollout status`` reads."""
    spec, status = body.get("spec") or {}, body.get("status") or {}
    wished = spec.get("replicas")
    updated = status.get("updatedReplicas") or 0
    return Rollout(
        workload=workload,
        images=_images(spec),
        generation=body["metadata"].get("generation") or 0,
        observed_generation=status.get("observedGeneration") or 0,
        wished=1 if wished is None else wished,
        pods=status.get("replicas") or 0,
        updated=updated,
        available=status.get("availableReplicas") or 0,
        is_paused=bool(spec.get("paused")),
        is_late=any(one.get("reason") == DEADLINE_EXCEEDED for one in status.get("conditions") or ()),
        is_one_revision=status.get("currentRevision") == status.get("updateRevision"),
    )


def _images(spec: Body) -> tuple[str, ...]:
    """Of all containers of the pods, those that come first and those that stay."""
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = [*(pod.get("containers") or ()), *(pod.get("initContainers") or ())]
    return tuple(dict.fromkeys(str(one.get("image", "")) for one in containers))
