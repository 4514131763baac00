"""``headway wait``: what a status means to somebody who waits for it. Pure."""

from __future__ import annotations

from enum import IntEnum

from headway_operator.api.migration import Migration


class Verdict(IntEnum):
    """The exit codes of ``headway wait``."""

    THERE = 0
    FAILED = 1
    TIMEOUT = 2
    NEEDS_APPROVAL = 3


def verdict(migration: Migration, kind: str) -> Verdict | None:
    """None: it is still to come. ``kind``: ``Ready`` or ``Succeeded``; an older generation's status says nothing."""
    status = migration.status
    if status.observed_generation != migration.generation:
        return None
    if migration.retry_token != status.last_handled_retry:
        return None
    condition = status.condition(kind)
    if condition is not None and condition.status in ("True", "False"):
        return Verdict.THERE if condition.status == "True" else Verdict.FAILED
    reconciling = status.condition("Reconciling")
    waits = reconciling is not None and reconciling.status == "True"
    if waits and reconciling is not None and reconciling.reason == "WaitingForApproval":
        return Verdict.NEEDS_APPROVAL
    return None
