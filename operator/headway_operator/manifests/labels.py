"""The labels and annotations that a Job and its pod get, from the action that starts it."""

from headway_operator.api import labels
from headway_operator.api.migration import Migration
from headway_operator.planner.actions import StartJob


def labels_for(start: StartJob, migration: Migration) -> dict[str, str]:
    """What the Job is for, so that it is known from the Job alone when the status is lost."""
    found = {
        labels.MANAGED_BY: labels.MANAGER,
        labels.UID: migration.uid,
        labels.RUN: start.run,
        labels.IDENTITY: start.identity,
        labels.STAGE: start.stage.value,
        labels.ATTEMPT: str(start.attempt),
    }
    return found | ({labels.DATABASE: start.database} if start.database else {})


def annotations_for(migration: Migration) -> dict[str, str]:
    """Which resource it belongs to, for whoever sees only the Job or the pod."""
    return {labels.MIGRATION_ANNOTATION: migration.name}


POD_LABELS = {"sidecar.istio.io/inject": "false"}
"""A sidecar would outlive the container that migrates, and the Job with it."""

POD_ANNOTATIONS = {
    "sidecar.istio.io/inject": "false",
    "linkerd.io/inject": "disabled",
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
}
"""No sidecars, and no voluntary eviction to save a node in the middle of a revision."""
