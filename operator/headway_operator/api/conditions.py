"""The conditions of each state of a run, as one table; kstatus, Argo CD and ``kubectl wait`` read them.

``Ready=True`` means: the application of this generation may roll out. ``Ready=False`` means: failed, a person is
needed. ``Reconciling`` and ``Stalled`` are never both True.
"""

from collections.abc import Mapping
from enum import StrEnum

from headway_contract.result import shorten
from headway_operator.api.status import Condition


class State(StrEnum):
    """What a run as a whole is up to."""

    PROGRESSING = "Progressing"
    WAITING = "Waiting"
    READY = "Ready"
    """The gate is open, and what waits until the application is rolled out is not done yet."""
    READY_FAILED = "PostDeployFailed"
    """The gate is open, and something behind it failed."""
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"


TABLE: dict[State, tuple[tuple[str, str], ...]] = {
    State.PROGRESSING: (
        ("Ready", "Unknown"), ("Reconciling", "True"), ("Stalled", "False"), ("Succeeded", "Unknown"),
    ),
    State.WAITING: (
        ("Ready", "Unknown"), ("Reconciling", "True"), ("Stalled", "False"), ("Succeeded", "Unknown"),
    ),
    State.READY: (
        ("Ready", "True"), ("Reconciling", "False"), ("Stalled", "False"), ("Succeeded", "Unknown"),
    ),
    State.READY_FAILED: (
        ("Ready", "True"), ("Reconciling", "False"), ("Stalled", "False"), ("Succeeded", "False"),
    ),
    State.FAILED: (
        ("Ready", "False"), ("Reconciling", "False"), ("Stalled", "True"), ("Succeeded", "False"),
    ),
    State.SUCCEEDED: (
        ("Ready", "True"), ("Reconciling", "False"), ("Stalled", "False"), ("Succeeded", "True"),
    ),
}  # fmt: skip
"""Type and status of the conditions in each state; those of :data:`OWN_CONDITIONS` go their own ways."""

OwnCondition = tuple[str, str, str]
"""Status, reason and message of a condition that does not follow from the state alone."""
OWN_CONDITIONS = ("PlanReady", "Approved", "BackfillComplete")

BEHIND_THE_GATE = {
    State.PROGRESSING: State.READY,
    State.WAITING: State.READY,
    State.FAILED: State.READY_FAILED,
}
"""What a state becomes once the gate is open: it does not close again within a generation."""
GATE_OPEN = "GateOpen"
MAY_ROLL_OUT = "the application may roll out"

MESSAGE_CHARACTERS = 1024


def conditions_for(
    state: State,
    reason: str,
    message: str,
    own: Mapping[str, OwnCondition],
    generation: int,
) -> tuple[Condition, ...]:
    """All conditions of this state; ``own`` are those that go their own ways, by type."""
    told = {kind: (reason, message) for kind, _ in TABLE[state]}
    if state in BEHIND_THE_GATE.values():
        is_open = (GATE_OPEN, f"{MAY_ROLL_OUT}; {message}")
        told |= dict.fromkeys(("Ready", "Reconciling", "Stalled"), is_open)
    rows = [(kind, status, *told[kind]) for kind, status in TABLE[state]]
    rows += [(kind, *own[kind]) for kind in OWN_CONDITIONS]
    return tuple(
        Condition(kind, status, why, shorten(text, MESSAGE_CHARACTERS), observed_generation=generation)
        for kind, status, why, text in rows
    )


def with_transition_times(
    new: tuple[Condition, ...], old: tuple[Condition, ...], now: str
) -> tuple[Condition, ...]:
    """``lastTransitionTime`` moves only when a condition's status does."""
    before = {condition.type: condition for condition in old}
    return tuple(_with_time(condition, before.get(condition.type), now) for condition in new)


def _with_time(new: Condition, old: Condition | None, now: str) -> Condition:
    kept = old.last_transition_time if old and old.status == new.status else ""
    return Condition(new.type, new.status, new.reason, new.message, new.observed_generation, kept or now)
