"""The runner's last word: the container's termination message, at most 4,096 bytes of JSON, and the plan in it.

It holds what the database itself showed at the end. A plan that does not fit travels in the log; the message then
has its sha256.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from enum import Enum

from headway_contract.codec import Undecodable, decode, encode
from headway_contract.failures import FailureClass, failure_class

LIMIT_BYTES = 4096
MESSAGE_CHARACTERS = 900


class Outcome(str, Enum):
    """How a run ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    """At a safe point, because it was asked to; the next run goes on from there."""


@dataclass(frozen=True)
class Failure:
    """What happened (``message``), why (``name``: its class), and where."""

    name: str
    message: str
    revision: str = ""
    sqlstate: str = ""

    @property
    def kind(self) -> FailureClass:
        """The class, with its exit code, sentence and next step."""
        return failure_class(self.name)


@dataclass(frozen=True)
class PendingRevision:
    """A revision that is to be applied."""

    revision: str
    title: str = ""
    file_sha256: str = ""


@dataclass(frozen=True)
class DatabasePlan:
    """What would be done to one database, in order."""

    name: str
    current: tuple[str, ...] = ()
    """Its heads, as its version table has them."""
    target: tuple[str, ...] = ()
    """The revisions at which it will be; resolved, never relative."""
    pending: tuple[PendingRevision, ...] = ()
    downgrade: bool = False
    ahead: bool = False
    """It is past the target, or at a revision that the image does not know, and that is accepted."""
    notices: tuple[str, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class Plan:
    """The plan of all databases."""

    databases: tuple[DatabasePlan, ...]

    @property
    def digest(self) -> str:
        """``sha256:…`` over heads, targets and the ordered revisions with the hashes of their files."""
        facts = [
            [
                database.name,
                sorted(database.current),
                sorted(database.target),
                database.downgrade,
                [[one.revision, one.file_sha256] for one in database.pending],
            ]
            for database in self.databases
        ]
        return "sha256:" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def to_json(self) -> str:
        """The document."""
        return json.dumps(encode(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Plan | None":
        """Read a document, None when it is not one."""
        try:
            return decode(cls, json.loads(text))
        except (ValueError, Undecodable):
            return None


@dataclass(frozen=True)
class RunResult:
    """The last word. ``to_revision`` is what the verify pass saw, empty when it could not look."""

    outcome: Outcome
    run: str
    database: str = ""
    from_revision: tuple[str, ...] = ()
    to_revision: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    """The latest of the applied revisions; all of them are counted in ``applied_count``."""
    applied_count: int = 0
    pending_count: int = 0
    ahead: bool = False
    failure: Failure | None = None
    plan: Plan | None = None
    plan_sha256: str = ""
    """Names the plan's document in the log when it did not fit here."""

    def to_json(self) -> str:
        """At most ``LIMIT_BYTES``: the plan goes first, then revisions, then the end of the message."""
        for shorter in (self, *_shortened(self)):
            text = json.dumps(encode(shorter), separators=(",", ":"))
            if len(text.encode()) <= LIMIT_BYTES:
                break
        return text

    @classmethod
    def from_json(cls, text: str) -> "RunResult | None":
        """Read a termination message, None when it is not a result (a crash leaves other text)."""
        try:
            return decode(cls, json.loads(text))
        except (ValueError, Undecodable):
            return None


def shorten(text: str, limit: int = MESSAGE_CHARACTERS) -> str:
    """The text, its middle left out when it is longer than ``limit`` characters."""
    if len(text) <= limit:
        return text
    half = (limit - 3) // 2
    return f"{text[:half]}…{text[-half:]}"


def _shortened(result: RunResult) -> tuple[RunResult, ...]:
    """The same result in ever fewer bytes; the last one fits whatever it holds."""
    document = "" if result.plan is None else hashlib.sha256(result.plan.to_json().encode()).hexdigest()
    no_plan = replace(result, plan=None, plan_sha256=document)
    few = replace(no_plan, applied=no_plan.applied[-5:])
    if few.failure is None:
        return (
            no_plan,
            few,
            replace(few, from_revision=few.from_revision[:9], to_revision=few.to_revision[:9]),
        )
    short = replace(few, failure=replace(few.failure, message=shorten(few.failure.message, 300)))
    return no_plan, few, short, replace(short, applied=(), from_revision=(), to_revision=())
