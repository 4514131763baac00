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
