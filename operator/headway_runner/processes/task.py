"""What a phase is given and what it gives back: plain frozen values, because they cross a fork.

Rule: it imports nothing of SQLAlchemy, because they also come to a process without that.
"""

from dataclasses import field
from typing import TYPE_CHECKING

from headway_contract.backfill import BackfillRecord
from headway_contract.facts import DatabaseFacts
from headway_contract.records import dataclass
from headway_contract.request import DatabaseRequest, RunRequest
from headway_contract.result import Failure, PendingRevision
from headway_runner.connections.dbapi import quoted
from headway_runner.connections.identity import Identity

if TYPE_CHECKING:
    from sqlalchemy.engine.url import URL


@dataclass(frozen=True)
class VersionTable:
    """A version table and the heads in it, in order."""

    schema: str
    """'' where the connection alone decides."""
    name: str
    heads: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """For people."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    @property
    def quoted(self) -> str:
        """As a statement takes it."""
        return quoted(self.schema, self.name)


@dataclass(frozen=True)
class WayBack:
    """How a process without env.py comes to the database of a run, and what it has to find there in the end.

    It holds credentials: it goes from the run's process to its parent alone, and is never told.
    """

    libpq: str
    """The file of the library that the run's driver has loaded."""
    arguments: tuple[tuple[str, str], ...] = field(repr=False)
    """What the run's own connection was opened with, in libpq's words."""
    identity: Identity
    """As that connection tells it."""
    table: VersionTable
    """With the heads to which all steps of the run lead."""


@dataclass(frozen=True)
class Place:
    """What makes a migration context the same one when it comes again."""

    identity: Identity | None
    """The database; None: the one of the task."""
    version_table: str
    shown: str
    """For people, and to tell schemas apart: as ``contexts.place_of`` tells it."""

    @property
    def named(self) -> str:
        """For people, also where there is nothing special about it."""
        return self.shown or f"version table {self.version_table}"


@dataclass(frozen=True)
class NotEnded:
    """A migration context that began and did not come to its end, and what it raised; env.py may hide that."""

    place: Place
    failure: Failure | None = None


@dataclass(frozen=True)
class Task:
    """One pass over one database."""

    request: RunRequest
    database: DatabaseRequest
    target: str
    url: "URL | None" = None
    """Made by the pass itself; None: the application's own configuration finds the database."""
    downgrade: bool = False
    identity: Identity | None = None
    """The database that was asked for, once a probe has seen it."""
    read_only: bool = False
    """PostgreSQL refuses every write of the pass."""
    one_transaction: bool = False
    """env.py sets something for one transaction only, so the revisions may not get one each."""
    asynchronous: bool = False
    """env.py makes an asynchronous engine, so the URL is to have a driver for it."""
    looks_itself: bool = False
    """A run that no look went before: it looks under the lock, and goes on only when all is as it was planned."""
    settle: bool = False
    """The session of an interrupted run may still be ending on the server: wait for its lock before looking."""
    contexts: int = 0
    """How many contexts ran, as a run found: a look must have seen as many."""
    expected: tuple[str, ...] | None = None
    """In attach mode: the revisions that a look has seen and that agree with the plan; None: there was no plan."""
    reached: tuple[str, ...] = ()
    """Heads at which nothing is pending, as a run found: seen again, the history need not be read again."""
    tables: tuple[VersionTable, ...] = ()
    """The version tables as a run through a command left them."""
    tells_way_back: bool = False
    """Of a run of one context: its parent wants to look by libpq alone afterwards."""
    way_back: WayBack | None = None
    """For that look: what the run has told."""


@dataclass(frozen=True)
class Inspection:
    """What a look at the database and the history found."""

    identity: Identity | None = None
    current: tuple[str, ...] = ()
    starts: tuple[tuple[str, ...], ...] = ()
    """The distinct heads of the contexts."""
    unknown: tuple[str, ...] = ()
    """Those of the current heads that the image does not contain."""
    image_heads: tuple[str, ...] = ()
    """What the image has instead, when there are such."""
    target: tuple[str, ...] = ()
    absolute_target: str = ""
    """The target in a form that means the same later on."""
    pending: tuple[PendingRevision, ...] = ()
    post_deploy: tuple[PendingRevision, ...] = ()
    """What the task is to leave for behind the gate."""
    places: tuple[str, ...] = ()
    """The contexts that lack revisions, where there are several."""
    past_target: bool = False
    """The database is at a descendant of the target."""
    one_transaction: bool = False
    invalid_indexes: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """Notices that somebody should look into."""
    cut_short: bool = False
    """The look itself was ended, because the run was asked to stop: nothing is known."""
    replanned: tuple[PendingRevision, ...] = ()
    """What would run from where the plan started, when that is not where the database is; in attach mode."""
    contexts: int = 0
    """How many contexts were looked at."""
    seen: tuple[Place, ...] = ()
    """Which."""
    not_ended: tuple[NotEnded, ...] = ()
    """Those that could not be, where env.py hid that and the others lack revisions."""
    libpq: bool = False
    """Their connections are libpq's and tell what they were opened with."""
    asked: tuple[VersionTable, ...] = ()
    """About which a command asked Alembic by itself, and which have all heads of their history."""
    behind: bool = False
    """There is another one that has not."""
    unseen: bool = False
    """The command ended well, and Alembic was not seen to upgrade in it."""
    facts: DatabaseFacts | None = None
    """What the pending revisions would do, when the request wants to know."""
    failure: Failure | None = None


@dataclass(frozen=True)
class Application:
    """What a run did, as far as it could see itself; the verify pass decides what of it is true."""

    before: Inspection | None = None
    """What a run that looks itself saw before its first revision; None: it never got there, and wrote nothing."""
    current: tuple[str, ...] = ()
    """The heads under the lock."""
    applied: tuple[str, ...] = ()
    """Revisions that ended."""
    heads: tuple[str, ...] = ()
    """The heads that it saw in the end, () when it did not get there."""
    post_deploy: tuple[PendingRevision, ...] = ()
    """What it left for behind the gate, as it was to."""
    contexts: int = 0
    """How many migration contexts ran."""
    outer_transaction: bool = False
    """env.py had begun a transaction of its own before it configured one of them."""
    unfinished: str = ""
    """A revision that was started and never ended."""
    kept: tuple[str, ...] = ()
    """What of the unfinished revision has been committed: the beginnings of its statements."""
    stopped: bool = False
    """It ended early at a safe point, because it was asked to."""
    place_of_stop: str = ""
    """Where within a revision that was, as sentences; the next run goes on there."""
    backfills: tuple[BackfillRecord, ...] = ()
    """Records of those that were completed."""
    indexes: tuple[str, ...] = ()
    """Indexes that revisions of this run built concurrently."""
    completed: int = 0
    """How many of them came to their end."""
    ended: tuple[Place, ...] = ()
    """Which."""
    not_ended: tuple[NotEnded, ...] = ()
    """The others that began, when no later try ended."""
    tables: tuple[VersionTable, ...] = ()
    """Theirs, as they were then; in attach mode."""
    failure: Failure | None = None
    """What env.py raised."""
    seen: Failure | None = None
    """What the unfinished revision raised, also when env.py hid it."""


@dataclass(frozen=True)
class Missed:
    """An upgrade that raised before any of its contexts came to its place."""

    digest: str
    """Its key."""
    failure: Failure
    """What it raised last."""


@dataclass(frozen=True)
class Report:
    """What a process of the application's own command has found or done so far."""

    process: int
    outcome: Inspection | Application
    swallowed: Failure | None = None
    """What Alembic raised before, and the command went on nevertheless."""
    looked: tuple[str, ...] = ()
    """The upgrades of which a context came to its place, by their keys: what became of that is told by the place."""
    missed: tuple[Missed, ...] = ()
    """Those that raised before that."""
