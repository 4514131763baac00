"""``status`` as dataclasses. It is a report: what it lacks is found out again from the Jobs and the databases."""

from dataclasses import dataclass
from enum import StrEnum

from headway_contract.planned import Planned


class DatabasePhase(StrEnum):
    """Where one database is; see ``planner.lifecycle`` for how it gets from one to the next."""

    PENDING = "Pending"
    MIGRATING = "Migrating"
    WAITING = "Waiting"
    """Between two attempts."""
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    """Not started because an earlier one failed."""

    @property
    def is_final(self) -> bool:
        """Nothing but a new run leads out of it."""
        return self in (DatabasePhase.SUCCEEDED, DatabasePhase.FAILED, DatabasePhase.SKIPPED)


@dataclass(frozen=True)
class Condition:
    """A metav1.Condition."""

    type: str
    status: str
    reason: str
    message: str = ""
    observed_generation: int = 0
    last_transition_time: str = ""


@dataclass(frozen=True)
class Progress:
    """How far the run is, for the printer columns."""

    summary: str = ""
    percent: int | None = None
    databases: str = ""
    job_name: str = ""
    message: str = ""
    updated_time: str | None = None


@dataclass(frozen=True)
class Run:
    """The current run: ``identity`` hashes what runs, ``id`` tells two runs of the same thing apart."""

    id: str
    identity: str = ""
    generation: int = 0
    revision: str = ""
    image: str = ""
    start_time: str | None = None
    completion_time: str | None = None
    result: str = ""


@dataclass(frozen=True)
class PlanStatus:
    """What the plan found, and how its own Job fares."""

    digest: str = ""
    revisions: int | None = None
    databases: int | None = None
    job_name: str = ""
    attempt: int = 0
    failures: int = 0
    completion_time: str | None = None
    reason: str = ""
    message: str = ""
    retry_time: str | None = None


@dataclass(frozen=True)
class Pending:
    """One revision that is still to be applied."""

    revision: str
    title: str = ""


@dataclass(frozen=True)
class DatabaseStatus:
    """One database; ``reason`` is the failure class of the latest attempt."""

    name: str
    phase: DatabasePhase = DatabasePhase.PENDING
    current_revision: str = ""
    target_revision: str = ""
    revisions_done: int | None = None
    revisions_total: int | None = None
    pending: tuple[Pending, ...] = ()
    pending_count: int | None = None
    planned: Planned | None = None
    """What its Jobs are held to; None: it has no plan, or not yet."""
    job_name: str = ""
    attempt: int = 0
    failures: int = 0
    """How many attempts failed: only these count against ``retry.limit``, not those that were stopped."""
    reason: str = ""
    message: str = ""
    retry_time: str | None = None
    start_time: str | None = None
    completion_time: str | None = None


@dataclass(frozen=True)
class HistoryEntry:
    """A run that ended."""

    run: str
    revision: str = ""
    image: str = ""
    result: str = ""
    message: str = ""
    start_time: str | None = None
    completion_time: str | None = None


@dataclass(frozen=True)
class Status:
    """The whole status; the operator owns every field of it."""

    observed_generation: int = -1
    phase: str = ""
    progress: Progress | None = None
    run: Run | None = None
    plan: PlanStatus | None = None
    databases: tuple[DatabaseStatus, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    conditions: tuple[Condition, ...] = ()
    last_handled_retry: str = ""
    last_handled_paused: str = ""

    def database(self, name: str) -> DatabaseStatus | None:
        """The entry of this name."""
        return next((entry for entry in self.databases if entry.name == name), None)

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type."""
        return next((condition for condition in self.conditions if condition.type == kind), None)
