"""``spec.hooks`` and ``status.hooks``: whom a run asks and tells, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum


class HookType(StrEnum):
    """What an answer means; see the field ``type`` of a hook."""

    CHECK = "Check"
    GATE = "Gate"
    THROTTLE = "Throttle"
    NOTIFY = "Notify"


class Point(StrEnum):
    """Where in a run a hook is called."""

    BEFORE_MIGRATION = "BeforeMigration"
    BEFORE_DATABASE = "BeforeDatabase"
    BEFORE_REVISION = "BeforeRevision"
    AFTER_REVISION = "AfterRevision"
    AFTER_DATABASE = "AfterDatabase"
    ON_READY = "OnReady"
    AFTER_MIGRATION = "AfterMigration"
    ON_FAILURE = "OnFailure"
    ON_APPROVAL_REQUIRED = "OnApprovalRequired"
    DURING_BACKFILL = "DuringBackfill"


class FailurePolicy(StrEnum):
    """What a call means that failed for good."""

    FAIL = "Fail"
    IGNORE = "Ignore"


@dataclass(frozen=True)
class Hook:
    """One entry of ``spec.hooks``; exactly one of ``url`` and ``endpoint`` is set."""

    name: str
    type: HookType
    points: tuple[Point, ...]
    url: str = ""
    endpoint: str = ""
    timeout_seconds: int = 15
    retries: int = 3
    failure_policy: FailurePolicy | None = None
    """None: Ignore for Notify, Fail for all others."""

    @property
    def must_answer(self) -> bool:
        """Whether a call that failed for good counts as a no."""
        policy = self.failure_policy
        if policy is None:
            policy = FailurePolicy.IGNORE if self.type is HookType.NOTIFY else FailurePolicy.FAIL
        return policy is FailurePolicy.FAIL

    @property
    def holds(self) -> bool:
        """Whether what comes next waits for its answer."""
        return self.type in (HookType.CHECK, HookType.GATE)


class Result(StrEnum):
    """How far a message is."""

    PENDING = "Pending"
    """It is to be sent, or to be sent again."""
    WAITING = "Waiting"
    """The receiver says: not yet."""
    DELIVERED = "Delivered"
    REFUSED = "Refused"
    """The receiver says no."""
    FAILED = "Failed"
    """It was given up."""
    GONE = "Gone"
    """The receiver wants no more messages: this run sends it none."""
    DROPPED = "Dropped"
    """Nobody is interested any more: the hook was removed, or its run is over."""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be sent."""
        return self in (Result.PENDING, Result.WAITING)


@dataclass(frozen=True)
class HookStatus:
    """One message to one hook: written before it is sent, and again with what came of it."""

    name: str
    type: HookType
    point: Point
    result: Result
    id: str = ""
    """The ``webhook-id``; empty for the state of a Throttle, whose questions have an id each."""
    run: str = ""
    database: str = ""
    revision: str = ""
    attempts: int = 0
    failures: int = 0
    """How many of the latest attempts in a row went wrong; "not yet" is no failure."""
    message: str = ""
    occurred_time: str | None = None
    """When what it tells of happened."""
    last_time: str | None = None
    retry_time: str | None = None
    payload: str = ""
    """What it says, as JSON, while it is open."""
