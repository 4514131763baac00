"""How a run ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from headway_cli.board import Board
from headway_operator.api.status import Status


@dataclass(frozen=True)
class Ending:
    """How a run ended. ``interrupted``: stopped at a safe point because a person asked for it."""

    status: Status
    board: Board
    interrupted: bool
    logs: dict[str, Path] = field(default_factory=dict)
    """The log of the latest Job, by database; the plan's under the empty name."""

    @property
    def succeeded(self) -> bool:
        """Whether every database is where it should be."""
        ready = self.status.condition("Ready")
        return ready is not None and ready.status == "True"

    @property
    def digest_to_approve(self) -> str:
        """The digest of the plan that waits for an approval; '' when none does."""
        return self.status.plan.digest if self.status.plan and waits_for_approval(self.status) else ""


def waits_for_approval(status: Status) -> bool:
    """Whether the plan is there, and nothing is changed before somebody approves it."""
    reconciling = status.condition("Reconciling")
    return reconciling is not None and reconciling.reason == "WaitingForApproval"
