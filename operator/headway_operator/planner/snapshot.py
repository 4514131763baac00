"""Everything that a decision may look at, gathered before it by ``controller.observe``; ``now`` is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from headway_contract.backfill import BackfillRecord
from headway_contract.control import Control
from headway_contract.events import Notice
from headway_contract.result import Outcome, Plan, RunResult
from headway_operator.api.migration import Migration, Workload
from headway_operator.api.status import Stage as Stage  # noqa: PLC0414 - its name is here for all that look at Jobs
from headway_operator.lint.findings import Finding
from headway_operator.planner.deliveries import HookAnswer, Polled

NOTHING_WISHED = Control()


class JobState(StrEnum):
    """What the Job controller says."""

    ACTIVE = "Active"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True)
class PodView:
    """The newest pod of a Job."""

    name: str
    created: datetime
    started: bool = False
    """The main container runs or has run."""
    succeeded: bool = False
    """It ended with exit code 0."""
    ended_reason: str = ""
    """The kubelet's word for how it ended, such as ``OOMKilled`` or ``StartError``."""
    ended_message: str = ""
    """What the kubelet says of that; never what the container left itself."""
    taken_reason: str = ""
    """The kubelet's word for why it ended, or did not take, the whole pod, such as ``Evicted``."""
    taken_message: str = ""
    waiting_reason: str = ""
    """The kubelet's word for why a container does not start, such as ``ImagePullBackOff``."""
    waiting_message: str = ""
    waits_since: datetime | None = None
    """When that was seen first, by the operator's clock; None: nobody has looked before."""
    silent_since: datetime | None = None
    """When it was seen first that it does not start, and nobody says why; None: that is not worth a word yet."""
    control: Control = NOTHING_WISHED
    """What it has been told so far."""
    node: str = ""
    gone_by: datetime | None = None
    """When it is to be gone at the latest, once it is being deleted."""


@dataclass(frozen=True)
class JobView:
    """One Job of the resource, with the runner's result when there is one."""

    name: str
    run: str
    identity: str
    stage: Stage
    database: str
    """Empty for the plan Job."""
    attempt: int
    created: datetime
    state: JobState = JobState.ACTIVE
    reason: str = ""
    """The Job controller's reason for a failure, such as ``DeadlineExceeded``."""
    message: str = ""
    deleting: bool = False
    result: RunResult | None = None
    pod: PodView | None = None
    is_suspended: bool = False
    """Somebody has set ``spec.suspend`` of the Job, such as a queue of the cluster: it is to have no pod yet."""
    lacks_pod_since: datetime | None = None
    """When it was seen first without a pod, by the operator's clock; None: that is not worth a word yet."""
    plan_untold: str = ""
    """Why the document of its plan was given up, without a full stop; empty: it was not."""

    @property
    def has_started(self) -> bool:
        """Whether its runner may have touched a database."""
        return self.pod is not None and self.pod.started

    @property
    def was_stopped(self) -> bool:
        """Whether its runner stopped at a safe point; one that ran out of time did so too, but as a failure.

        Not one that ran out of time while it was paused: it was kept from going on.
        """
        stopped = self.result is not None and self.result.outcome is Outcome.STOPPED
        was_paused = self.pod is not None and bool(self.pod.control.pause)
        return stopped and not self.is_active and (self.reason != "DeadlineExceeded" or was_paused)

    @property
    def is_active(self) -> bool:
        """Whether it may still change a database; a pod that ended well is done before its Job says so."""
        ended_well = self.pod is not None and self.pod.succeeded and self.result is not None
        return self.state is JobState.ACTIVE and not ended_well


@dataclass(frozen=True)
class RefusedStart:
    """A Job that was to be started in this look, and that the cluster would not have; a person has to mend that."""

    job_name: str
    database: str
    """Empty for a plan."""
    reason: str
    happened: str


@dataclass(frozen=True)
class StrayPod:
    """A pod that may still change a database, though its Job is over or gone."""

    name: str
    node: str
    database: str


@dataclass(frozen=True)
class BackfillProgress:
    """How far the backfill of a running Job is, as it told last; None: not known."""

    operation: str
    table: str
    columns: str = ""
    """Empty for a batched loop that the revision writes itself."""
    rows_done: int = 0
    rows_total: int | None = None
    percent: float | None = None
    rows_per_second: float = 0.0
    eta_seconds: float | None = None
    throttled_by: str = ""
    throttled_seconds: float = 0.0
    workers: int = 1


@dataclass(frozen=True)
class JobProgress:
    """The newest that a running Job told through its log; advisory."""

    job_name: str
    sequence: int = 0
    current: tuple[str, ...] = ()
    revision: str = ""
    """The one that was started last."""
    revisions_done: int | None = None
    revisions_total: int | None = None
    message: str = ""
    backfill: BackfillProgress | None = None
    records: tuple[BackfillRecord, ...] = ()
    """Of the backfills that it has completed."""
    asks: str = ""
    """The revision that waits to be let go; empty: none."""
    applied: tuple[str, ...] = ()
    """The revisions of which it told that they are committed; it may have lost some on the way."""
    left: int | None = None
    """How many its pass still had to apply when it told of the latest of these."""
    notices: tuple[Notice, ...] = ()
    """The first of what it told that is no failure, each once."""
    has_further_notices: bool = False


@dataclass(frozen=True)
class Rollout:
    """How a workload stands that the post-deploy work waits for, in the words of its own status."""

    workload: Workload
    problem: str = ""
    """Why it could not be seen; then all else is as if there were no such thing."""
    images: tuple[str, ...] = ()
    """Of all containers of its template."""
    generation: int = 0
    observed_generation: int = 0
    wished: int = 1
    """How many pods it is to have."""
    pods: int = 0
    updated: int = 0
    available: int = 0
    """Ready for long enough, of whatever revision."""
    is_paused: bool = False
    is_late: bool = False
    """It has exceeded its progressDeadlineSeconds."""
    is_one_revision: bool = True
    """Of a StatefulSet: all pods are to be of the newest revision, and are."""


Findings = Mapping[str, tuple[Finding, ...]]
"""By the name of the database."""


@dataclass(frozen=True)
class Read:
    """A plan that was read, and what the lint found in it: reading takes long, and a look may be made again."""

    plan: Plan
    findings: Findings


@dataclass(frozen=True)
class Snapshot:
    """One moment of one resource. ``jobs`` are all Jobs that it owns, of whatever run."""

    now: datetime
    migration: Migration
    jobs: tuple[JobView, ...] = ()
    progress: tuple[JobProgress, ...] = field(default=())
    strays: tuple[StrayPod, ...] = field(default=())
    rollouts: tuple[Rollout, ...] = field(default=())
    """Of the workloads to wait for; looked at only while something waits for them."""
    answers: tuple[HookAnswer, ...] = field(default=())
    """What came back of messages to hooks."""
    polled: tuple[Polled, ...] = field(default=())
    """What the Throttles said last."""
    read: Read | None = None
    """The plan that was read last, where it was; whoever decides about one that was not reads it then."""
    refused: tuple[RefusedStart, ...] = field(default=())
    """Known only once a decision was carried out as far as it could be, and is made anew for what is to be said."""

    def progress_of(self, job_name: str) -> JobProgress | None:
        """The newest progress of this Job."""
        return next((entry for entry in self.progress if entry.job_name == job_name), None)

    def rollout_of(self, workload: Workload) -> Rollout | None:
        """How it was seen, None when nobody looked."""
        return next((one for one in self.rollouts if one.workload == workload), None)
