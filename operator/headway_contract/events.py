"""What a runner tells while it works: one frozen dataclass for each thing.

Advisory: whoever reads them may miss some; the result decides. A kind or field from a newer runner is skipped.
Texts are for people and never hold a URL, a password or SQL parameters.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RunStarted:
    """The runner has read its request."""

    run: str
    mode: str
    python: str = ""
    alembic: str = ""
    sqlalchemy: str = ""


@dataclass(frozen=True)
class DatabaseReached:
    """A first connection stands."""

    database: str
    dialect: str
    server_version: str = ""


@dataclass(frozen=True)
class Planned:
    """Which revisions are to be applied, from which heads; told again when the plan is made under the lock.

    ``count`` is how many there are; ``revisions`` may be cut to what a line holds.
    """

    database: str
    current: tuple[str, ...] = ()
    revisions: tuple[str, ...] = ()
    count: int = 0
    under_lock: bool = False


@dataclass(frozen=True)
class LockAwaited:
    """Another session holds the migration lock; told once and then with each heartbeat."""

    database: str
    seconds: float = 0.0
    holder: str = ""
    """Who holds it, as far as the server tells."""


@dataclass(frozen=True)
class LockAcquired:
    """The migration lock is held by this run's own connection."""

    database: str


@dataclass(frozen=True)
class RevisionStarted:
    """A revision begins; ``index`` counts from 1."""

    database: str
    revision: str
    title: str = ""
    index: int = 1
    total: int = 1


@dataclass(frozen=True)
class RevisionApplied:
    """A revision ended. ``committed`` is false while an outer transaction of env.py still holds it."""

    database: str
    revision: str
    milliseconds: int = 0
    committed: bool = True
    healed: bool = False
    """A tail that the revision's own commit had left open was committed for it."""
    index: int = 1
    total: int = 1


@dataclass(frozen=True)
class Blocked:
    """A statement that may wait long, because it holds nobody up, waits for other sessions."""

    database: str
    seconds: float = 0.0
    sentence: str = ""
    """What waits for whom, without a full stop; empty: it goes on."""


@dataclass(frozen=True)
class PassRetried:
    """A lock could not be had in time and nothing was applied by it: the pass is made again after a pause."""

    database: str
    reason: str
    attempt: int = 1
    wait_seconds: float = 0.0


@dataclass(frozen=True)
class Verified:
    """A fresh look at the database: its heads, and how many revisions it still lacks."""

    database: str
    current: tuple[str, ...] = ()
    pending: int = 0


@dataclass(frozen=True)
class Stopping:
    """The wish to stop has arrived; ``control_sequence`` is that of the control value, 0 for a signal."""

    control_sequence: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Notice:
    """Something that a person should know and that is no failure."""

    database: str
    message: str


@dataclass(frozen=True)
class Heartbeat:
    """Nothing new, still here."""


@dataclass(frozen=True)
class DocumentPart:
    """A piece of a document too large for the result, which names its sha256; pieces count from 0."""

    sha256: str
    index: int
    count: int
    text: str


Event = (
    RunStarted
    | DatabaseReached
    | Planned
    | LockAwaited
    | LockAcquired
    | RevisionStarted
    | RevisionApplied
    | Blocked
    | PassRetried
    | Verified
    | Stopping
    | Notice
    | Heartbeat
    | DocumentPart
)

EVENTS: tuple[type[Event], ...] = (
    RunStarted,
    DatabaseReached,
    Planned,
    LockAwaited,
    LockAcquired,
    RevisionStarted,
    RevisionApplied,
    Blocked,
    PassRetried,
    Verified,
    Stopping,
    Notice,
    Heartbeat,
    DocumentPart,
)
