"""Which of the many events of a resource are worth a look. Pure.

A resource is at rest when the planner, asked without any Job in sight, would do nothing and say nothing new; its
finalizer shows when a Job that migrates is active. So a finished resource costs no request at all, not even after
a restart.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from headway_operator.api.migration import FINALIZER, GROUP, Migration
from headway_operator.cluster.interface import Body
from headway_operator.planner.actions import Decision, RemoveFinalizer
from headway_operator.planner.plan import plan
from headway_operator.planner.snapshot import Snapshot


@dataclass(frozen=True)
class Wish:
    """What of a resource can change a decision, apart from what the operator itself wrote."""

    uid: str
    generation: int
    deleting: bool
    annotations: tuple[tuple[str, str], ...]
    observed_generation: int

    @classmethod
    def of(cls, body: Body) -> "Wish":
        """Of a resource as a watch brings it; not parsed further, because most events are the operator's own."""
        metadata = body["metadata"]
        annotations = metadata.get("annotations") or {}
        own = sorted((name, value) for name, value in annotations.items() if name.startswith(f"{GROUP}/"))
        return cls(
            uid=metadata.get("uid", ""),
            generation=metadata.get("generation", 1),
            deleting="deletionTimestamp" in metadata,
            annotations=tuple(own),
            observed_generation=(body.get("status") or {}).get("observedGeneration", -1),
        )

    @classmethod
    def known_after(cls, migration: Migration, decision: Decision) -> tuple["Wish", ...]:
        """As it was read, and as it will be seen once the decision's status is written."""
        own = sorted(pair for pair in migration.annotations.items() if pair[0].startswith(f"{GROUP}/"))
        return tuple(
            cls(migration.uid, migration.generation, migration.deleting, tuple(own), observed)
            for observed in (migration.status.observed_generation, decision.status.observed_generation)
        )


def is_at_rest(migration: Migration, now: datetime) -> bool:
    """Whether there is nothing to do for it, as far as the resource alone tells."""
    decision = plan(Snapshot(now, migration))
    return not decision.actions and decision.wake_after is None and decision.status == migration.status


def after(migration: Migration, decision: Decision) -> Migration:
    """The resource once the decision is carried out."""
    released = any(isinstance(action, RemoveFinalizer) for action in decision.actions)
    kept = tuple(name for name in migration.finalizers if not (released and name == FINALIZER))
    return replace(migration, status=decision.status, finalizers=kept)
