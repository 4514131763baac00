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
    stops_at_the_gate: bool = False
    """It was to leave what waits until the application is rolled out."""

    @property
    def is_at_the_gate(self) -> bool:
        """What must precede the application is applied, and the rest was left, as it was to be."""
        succeeded = self.status.condition("Succeeded")
        is_open = self.stops_at_the_gate and self.status.is_ready(self.status.observed_generation)
        return is_open and succeeded is not None and succeeded.status == "Unknown" and not self.interrupted

    @property
    def succeeded(self) -> bool:
        """Whether every database is where it should be."""
        succeeded = self.status.condition("Succeeded")
        return self.is_at_the_gate or (succeeded is not None and succeeded.status == "True")

    @property
    def digest_to_approve(self) -> str:
        """The digest of the plan that waits for an approval; '' when none does."""
        if self.is_at_the_gate or self.status.plan is None or not waits_for_approval(self.status):
            return ""
        return self.status.plan.digest

    @property
    def taken_back(self) -> tuple[str, ...]:
        """The databases whose plan leads down."""
        return tuple(one.name for one in self.status.databases if one.takes_back)


def waits_for_approval(status: Status) -> bool:
    """Whether the plan is there, and nothing is changed before somebody approves it."""
    succeeded = status.condition("Succeeded")
    return succeeded is not None and succeeded.reason == "WaitingForApproval"
