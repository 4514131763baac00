"""What to do, as data. Doing any of them twice does no more than doing it once."""

from dataclasses import dataclass
from datetime import timedelta

from headway_contract.control import Control
from headway_contract.planned import Planned
from headway_operator.api.hooks import HookStatus
from headway_operator.api.status import Status
from headway_operator.planner.deliveries import Delivery
from headway_operator.planner.outbox import Batch
from headway_operator.planner.snapshot import Stage


@dataclass(frozen=True)
class AddFinalizer:
    """Before the first Job that migrates: deletion then waits for a safe point."""


@dataclass(frozen=True)
class RemoveFinalizer:
    """No Job is active."""


@dataclass(frozen=True)
class StartJob:
    """Create the Job of this name; ``database`` is empty for a plan."""

    name: str
    run: str
    identity: str
    stage: Stage
    database: str
    attempt: int
    planned: Planned | None = None
    """What the plan showed of the database: the Job does that, or the rest of it, or nothing."""


@dataclass(frozen=True)
class StopJob:
    """Tell the Job's pod to stop at the next safe point."""

    name: str
    pod: str
    sequence: int
    reason: str


@dataclass(frozen=True)
class SteerJob:
    """Tell the Job's pod what is wished of it from now on, short of stopping."""

    name: str
    pod: str
    control: Control


@dataclass(frozen=True)
class DeleteJob:
    """Remove a Job that never started or that nobody needs any more."""

    name: str


@dataclass(frozen=True)
class TellUser:
    """An event on the resource; ``key`` makes the same news the same event."""

    reason: str
    message: str
    warning: bool = False
    key: str = ""


Action = AddFinalizer | RemoveFinalizer | StartJob | StopJob | SteerJob | DeleteJob | TellUser


@dataclass(frozen=True)
class Decision:
    """What to do, in order, and the status to write after it.

    ``sweep``: what the history of that status has let go, also where a Job could not be created.
    ``wake_after`` is the longest time to wait before looking again; None: only an event changes anything.
    ``messages`` go out now: they stand in the status that was read. ``questions`` are asked from now on, again and
    again, and no others. ``given_way``: messages for which the status has no room, so that only events tell of them.
    """

    actions: tuple[Action, ...]
    status: Status
    wake_after: timedelta | None = None
    messages: tuple[Batch, ...] = ()
    questions: tuple[Delivery, ...] = ()
    given_way: tuple[HookStatus, ...] = ()
    sweep: tuple[DeleteJob, ...] = ()

    @property
    def starts(self) -> tuple[StartJob, ...]:
        """The Jobs it starts."""
        return tuple(action for action in self.actions if isinstance(action, StartJob))
