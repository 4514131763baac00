"""``status`` as dataclasses. It is a report: what it lacks is found out again from the Jobs and the databases."""

from dataclasses import dataclass
from enum import StrEnum

from headway_contract.planned import Planned
from headway_operator.api.hooks import HookStatus


class Stage(StrEnum):
    """What a Job is for."""

    PLAN = "Plan"
    MIGRATE = "Migrate"
    """What must precede the application."""
    POST_DEPLOY = "PostDeploy"
    """What waits until the application is rolled out."""


class DatabasePhase(StrEnum):
    """Where one database is; see ``planner.lifecycle`` for how it gets from one to the next."""

    PENDING = "Pending"
    MIGRATING = "Migrating"
    BACKFILLING = "Backfilling"
    """Migrating, and a backfill goes on."""
    WAITING = "Waiting"
    """Between two attempts."""
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    """Not started or not gone on with, because an earlier one failed or the run was aborted."""

    @property
    def is_working(self) -> bool:
        """A Job of its own is at work."""
        return self in (DatabasePhase.MIGRATING, DatabasePhase.BACKFILLING)

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
    abort: str = ""
    """The token of the abort that ends it, or has ended it."""
    unsent: tuple[str, ...] = ()
    """What happened once in this run and is still to become a message to hooks: points, some with a database."""


@dataclass(frozen=True)
class RuleStatus:
    """What one rule of the lint found in the plan; ``first``: the worst of it, with its place."""

    rule: str
    severity: str = ""
    count: int = 0
    first: str = ""


@dataclass(frozen=True)
class PlanStatus:
    """What the plan found, and how its own Job fares."""

    digest: str = ""
    revisions: int | None = None
    databases: int | None = None
    approved_by: str = ""
    """Who let it pass, where that is known."""
    approved_time: str | None = None
    """When that was seen; None: it was not approved, or needs no approval."""
    job_name: str = ""
    attempt: int = 0
    failures: int = 0
    completion_time: str | None = None
    reason: str = ""
    message: str = ""
    retry_time: str | None = None
    warnings: int | None = None
    """How many findings there are that are not ignored; None: nobody looked."""
    reviewed: bool = False
    """The lint has looked at all that is to be done."""
    findings: tuple[RuleStatus, ...] = ()


@dataclass(frozen=True)
class Pending:
    """One revision that is still to be applied."""

    revision: str
    title: str = ""
    post_deploy: bool = False
    """It waits until the application is rolled out."""
    warnings: tuple[str, ...] = ()
    """What the lint found in it."""


@dataclass(frozen=True)
class DriftStatus:
    """What the last run that compared the database with the models found; information."""

    count: int | None = None
    """None: nothing was compared then."""
    differences: tuple[str, ...] = ()
    """The first of them, as sentences."""
    digest: str = ""
    """Over those that were found last; empty: there were none."""
    message: str = ""
    """Why nothing was compared, or not all."""
    compared_time: str | None = None


@dataclass(frozen=True)
class BackfillStatus:
    """The backfill that goes on; None: not known."""

    revision: str = ""
    operation: str = ""
    table: str = ""
    columns: str = ""
    rows_done: int = 0
    rows_total: int | None = None
    percent: int | None = None
    rows_per_second: int = 0
    eta_seconds: int | None = None
    throttled_by: str = ""
    throttled_minutes: int = 0
    """How long the present hold lasts, in whole minutes: it changes as seldom as people look."""
    workers: int = 1


@dataclass(frozen=True)
class FinishedBackfill:
    """The record of a backfill that is complete; None: not known."""

    operation: str
    table: str = ""
    rows: int = 0
    seconds: int = 0
    wal_bytes: int | None = None
    heap_growth_bytes: int | None = None
    index_growth_bytes: int | None = None
    hot_percent: int | None = None
    batches: int = 0
    batch_p50_milliseconds: int = 0
    batch_p99_milliseconds: int = 0
    blocked_milliseconds: int = 0
    throttled_seconds: int = 0


@dataclass(frozen=True)
class HalfDone:
    """A revision that failed after a part of it had been committed, with what was said of it then."""

    revision: str = ""
    run: str = ""
    """That left it so."""
    message: str = ""


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
    untold: tuple[str, ...] = ()
    """Revisions of the plan of which hooks are still to be told that they are applied, in order."""
    unasked: tuple[str, ...] = ()
    """Revisions of the plan of which hooks that only listen are still to be told that they begin."""
    job_name: str = ""
    attempt: int = 0
    failures: int = 0
    """How many attempts failed: only these count against ``retry.limit``, not those that were stopped."""
    reason: str = ""
    message: str = ""
    retry_time: str | None = None
    backfill: BackfillStatus | None = None
    backfills: tuple[FinishedBackfill, ...] = ()
    """Those that this run has completed, the latest last."""
    start_time: str | None = None
    completion_time: str | None = None
    stage: Stage = Stage.MIGRATE
    """The part of the work that phase, Job, attempt and failures are about."""
    post_deploy_count: int = 0
    """How many of the pending revisions wait until the application is rolled out."""
    drift: DriftStatus | None = None
    half_done: HalfDone | None = None
    """Until a run gets past it."""

    @property
    def is_unjudged(self) -> bool:
        """Whether its latest attempt failed while the run was given up, so that nobody asked if there is another."""
        return self.phase is DatabasePhase.PENDING and bool(self.reason)

    @property
    def left_by_its_job(self) -> int:
        """How many revisions the Job of this stage leaves, which therefore does not count them."""
        return self.post_deploy_count if self.stage is Stage.MIGRATE else 0

    @property
    def takes_back(self) -> bool:
        """Its plan leads down."""
        return self.planned is not None and self.planned.downgrade

    @property
    def is_past_the_gate(self) -> bool:
        """Whether what must precede the application is applied to it."""
        return self.stage is Stage.POST_DEPLOY or self.phase is DatabasePhase.SUCCEEDED


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
    hooks: tuple[HookStatus, ...] = ()
    """The messages to hooks: all that are still to be sent, and the latest of those that are done."""
    history: tuple[HistoryEntry, ...] = ()
    conditions: tuple[Condition, ...] = ()
    last_handled_retry: str = ""
    last_handled_paused: str = ""
    last_handled_pace: str = ""
    last_handled_approve: str = ""
    last_handled_abort: str = ""

    def database(self, name: str) -> DatabaseStatus | None:
        """The entry of this name."""
        return next((entry for entry in self.databases if entry.name == name), None)

    def is_ready(self, generation: int) -> bool:
        """Whether it says that the application of this generation may roll out."""
        ready = self.condition("Ready")
        return ready is not None and (ready.status, ready.observed_generation) == ("True", generation)

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type."""
        return next((condition for condition in self.conditions if condition.type == kind), None)
