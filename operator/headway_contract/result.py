"""The runner's last word: the container's termination message, at most 4,096 bytes of JSON, and the plan in it.

It holds what the database itself showed at the end. A plan that does not fit travels in the log; the message then
has its sha256.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from headway_contract.backfill import BackfillRecord
from headway_contract.codec import Undecodable, decode, encode
from headway_contract.drift_report import DriftReport
from headway_contract.facts import DatabaseFacts
from headway_contract.failures import FailureClass, failure_class
from headway_contract.planned import NOT_KNOWN, EnvFacts, Planned, digest_of
from headway_contract.read_json import read_json
from headway_contract.records import dataclass

LIMIT_BYTES = 4096
MESSAGE_CHARACTERS = 900
BACKFILLS_KEPT = 5
"""How many records a result holds."""
_DIFFERENCES = ((300, 3), (120, 1), (20, 0))
"""Characters of a text and how many differences are told, tried until the result fits."""


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
    post_deploy: bool = False
    """It may wait until the application is rolled out: it is marked so, and so is all that comes after it."""


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
    starts: tuple[tuple[str, ...], ...] = ()
    """``planned.Starts``; empty in the plan of an older runner."""
    env: EnvFacts = NOT_KNOWN
    facts: DatabaseFacts | None = None
    """What its revisions would do, for whoever reads or judges the plan: no part of the digest. None: not asked."""
    drift: DriftReport | None = None
    """What differs from the models, where nothing is pending; no part of the digest either. None: not compared."""
    warnings: int = 0
    """How many of the notices somebody should look into: they come first."""

    @property
    def digest(self) -> str:
        """``sha256:…`` over heads, target and the revisions with the hashes of their files."""
        revisions = ((one.revision, one.file_sha256) for one in self.pending)
        return digest_of(self.starts or (self.current,), self.target, self.downgrade, revisions)

    @property
    def planned(self) -> Planned | None:
        """What whoever carries it out is held to, None when the plan does not tell enough."""
        if not self.starts:
            return None
        return Planned(self.digest, self.starts, self.target, self.downgrade, self.env)


@dataclass(frozen=True)
class Plan:
    """The plan of all databases."""

    databases: tuple[DatabasePlan, ...]

    @property
    def digest(self) -> str:
        """``sha256:…`` over the names of the databases and what would be done to each."""
        facts = [[database.name, database.digest] for database in self.databases]
        return "sha256:" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def without_facts(self) -> "Plan":
        """What of it decides, with the same digest."""
        return Plan(tuple(replace(database, facts=None, drift=None) for database in self.databases))

    def to_json(self) -> str:
        """The document."""
        return json.dumps(encode(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Plan | None":
        """Read a document, None when it is not one."""
        try:
            return decode(cls, read_json(text))
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
    post_deploy_count: int = 0
    """How many revisions the run left because they wait until the application is rolled out."""
    ahead: bool = False
    notice: str = ""
    """Of a stop: what it left that a person should know."""
    backfills: tuple[BackfillRecord, ...] = ()
    """The latest of those that were completed; all of them are counted in ``backfills_count``."""
    backfills_count: int = 0
    failure: Failure | None = None
    plan: Plan | None = None
    plan_sha256: str = ""
    """Names the document in the log: the plan when it did not fit here as a whole, or what a check has found."""
    drift: DriftReport | None = None
    """What differs from the models, of a run that was asked to look; of a plan each of its databases has it."""

    def to_json(self) -> str:
        """At most ``LIMIT_BYTES``: differences and facts go first, then the plan, records, revisions, texts."""
        for shorter in (self, *_shortened(self)):
            text = json.dumps(encode(shorter), separators=(",", ":"))
            if len(text) <= LIMIT_BYTES:
                break
        return text

    @classmethod
    def from_json(cls, text: str) -> "RunResult | None":
        """Read a termination message, None when it is not a result (a crash leaves other text)."""
        try:
            return decode(cls, read_json(text))
        except (ValueError, Undecodable):
            return None


def shorten(text: str, limit: int = MESSAGE_CHARACTERS) -> str:
    """The text, its middle left out when it is longer than ``limit`` characters."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def _shortened(result: RunResult) -> Iterator[RunResult]:
    """The same result in ever fewer bytes; the last one fits whatever it holds."""
    for characters, items in _DIFFERENCES:
        if result.drift is not None:
            result = replace(result, drift=result.drift.cut(items, characters))
            yield result
    if result.plan is not None:
        document = result.plan_sha256 or hashlib.sha256(result.plan.to_json().encode()).hexdigest()
        result = replace(result, plan=result.plan.without_facts(), plan_sha256=document)
        yield result
    result = replace(result, plan=None)
    yield result
    for characters, items in ((MESSAGE_CHARACTERS, 20), (300, 5), (60, 3), (20, 2)):
        yield _cut(result, characters, items)


def _cut(result: RunResult, characters: int, items: int) -> RunResult:
    def cut(revisions: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(shorten(revision, characters) for revision in revisions[-items:])

    failure = result.failure
    if failure is not None:
        texts = (failure.name, failure.message, failure.revision, failure.sqlstate)
        failure = Failure(*(shorten(text, characters) for text in texts))
    return replace(
        result,
        run=shorten(result.run, characters),
        database=shorten(result.database, characters),
        plan_sha256=shorten(result.plan_sha256, max(characters, 64)),
        from_revision=cut(result.from_revision),
        to_revision=cut(result.to_revision),
        applied=cut(result.applied),
        notice=shorten(result.notice, characters),
        backfills=tuple(
            replace(one, operation=shorten(one.operation, characters), table=shorten(one.table, characters))
            for one in result.backfills[-min(items, BACKFILLS_KEPT) :]
        ),
        failure=failure,
    )
