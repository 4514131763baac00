"""How others read the resource: kstatus (Helm 4, Flux), Argo CD's health check, ``kubectl wait``.

Small ports of their rules. Each takes the status, the resource's generation and whether it is being deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

from headway_operator.api.status import Condition, Status

SUSPENDED_REASONS = ("WaitingForApproval", "Paused", "Suspended")


def kstatus(status: Status, generation: int, deleting: bool = False) -> str:
    """Only the generation at the top counts; of Reconciling and Stalled the first True one decides, then Ready."""
    if deleting:
        return "Terminating"
    if status.observed_generation != generation:
        return "InProgress"
    for condition in status.conditions:
        if condition.status == "True" and condition.type in ("Reconciling", "Stalled"):
            return "InProgress" if condition.type == "Reconciling" else "Failed"
    ready = status.condition("Ready")
    return "InProgress" if ready is not None and ready.status != "True" else "Current"


def argo(status: Status, generation: int, deleting: bool = False) -> str:
    """The health script's order of questions: generation, Stalled, Ready, what holds it."""
    if deleting or status.observed_generation != generation:
        return "Progressing"
    current = {one.type: one for one in status.conditions if one.observed_generation == generation}
    if _is(current.get("Stalled"), "True"):
        return "Degraded"
    if _is(current.get("Ready"), "True"):
        return "Healthy"
    reconciling = current.get("Reconciling")
    held = _is(reconciling, "True") and reconciling is not None and reconciling.reason in SUSPENDED_REASONS
    return "Suspended" if held else "Progressing"


def kubectl_wait(status: Status, generation: int, kind: str = "Ready") -> bool:
    """Whether ``kubectl wait --for=condition=<kind>`` returns: an older condition is not counted."""
    condition = status.condition(kind)
    return (
        condition is not None and condition.observed_generation >= generation and condition.status == "True"
    )


def verdicts(status: Status, generation: int, deleting: bool = False) -> tuple[str, str, bool]:
    """All three: kstatus, Argo CD, and whether ``kubectl wait`` for Ready returns."""
    return (
        kstatus(status, generation, deleting),
        argo(status, generation, deleting),
        kubectl_wait(status, generation),
    )


def objections(status: Status, generation: int) -> Iterator[str]:
    """What is wrong with a status in whatever state: each a sentence."""
    values = {condition.type: condition.status for condition in status.conditions}
    if values.get("Reconciling") == "True" and values.get("Stalled") == "True":
        yield "Reconciling and Stalled are both True"
    if values.get("Ready") == "True" and values.get("Reconciling") == "True":
        yield "Reconciling goes on behind an open gate"
    if status.observed_generation != generation:
        yield f"observedGeneration is {status.observed_generation}, the resource's {generation}"
    missing = {"Ready", "Reconciling", "Stalled", "Succeeded", "PlanReady"} - set(values)
    if missing:
        yield f"conditions are missing: {sorted(missing)}"
    yield from (
        f"{condition.type} lacks its generation, reason, message or time"
        for condition in status.conditions
        if condition.observed_generation != generation
        or not (condition.reason and condition.message and condition.last_transition_time)
    )


def _is(condition: Condition | None, value: str) -> bool:
    return condition is not None and condition.status == value
