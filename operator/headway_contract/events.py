"""What a runner tells while it works: one frozen dataclass for each thing.

Advisory: whoever reads them may miss some; the result decides. A kind or field from a newer runner is skipped.
Texts are for people and never hold a URL, a password or SQL parameters.
"""

from headway_contract.backfill import BackfillRecord
from headway_contract.records import dataclass


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
class Steered:
    """A control value has arrived and is obeyed from now on; one that stops is answered by ``Stopping``."""

    control_sequence: int = 0
    pause: str = ""
    """Why to hold; empty: work."""
    pace: str = ""
    """Empty: as the run began."""


@dataclass(frozen=True)
class Held:
    """Between two revisions, the run holds because it is paused."""

    database: str
    reason: str = ""
    """Empty: it goes on."""
    control_sequence: int = 0
    """Of the value that says so."""
    revision: str = ""
    """The one that is held."""


@dataclass(frozen=True)
class Asked:
    """A revision waits to be let go; told once and then with each heartbeat, until it may or the run stops."""

    database: str
    revision: str
    title: str = ""
    seconds: float = 0.0
    """How long it waits."""


@dataclass(frozen=True)
class BackfillStarted:
    """A backfill begins, or goes on where an earlier run stopped."""

    database: str
    operation: str
    table: str
    columns: str = ""
    strategy: str = ""
    reason: str = ""
    """Why this strategy, as a sentence."""
    rows_done: int = 0
    """By earlier runs."""
    rows_total: int | None = None
    """An estimate; None: not known."""


@dataclass(frozen=True)
class BackfillProgressed:
    """How far a backfill or a batched loop of the revision's own is; told about once in a second."""

    database: str
    operation: str
    table: str
    rows_done: int = 0
    rows_total: int | None = None
    percent: float | None = None
    rows_per_second: float = 0.0
    eta_seconds: float | None = None
    workers: int = 1
    throttled_by: str = ""
    """Why it holds, without a full stop; empty: it works."""
    throttled_seconds: float = 0.0
    """How long the present hold lasts."""


@dataclass(frozen=True)
class BackfillFinished:
    """A backfill is complete."""

    database: str
    record: BackfillRecord


@dataclass(frozen=True)
class IndexBuilding:
    """How far an index is that is built concurrently; ``percent`` is that of the phase."""

    database: str
    index: str
    table: str
    phase: str = ""
    percent: float = 0.0
    waits_for: str = ""
    """Whom it waits for, without a full stop; empty: it works."""


@dataclass(frozen=True)
class Notice:
    """Something that a person should know and that is no failure."""

    database: str
    message: str
    warning: bool = False
    """Somebody should look into it; else it is only good to know."""


@dataclass(frozen=True)
class ComparisonStarted:
    """The run is done, and the database is compared with the models: information, which its result brings."""

    database: str


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
    | Steered
    | Held
    | Asked
    | BackfillStarted
    | BackfillProgressed
    | BackfillFinished
    | IndexBuilding
    | Notice
    | ComparisonStarted
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
    Steered,
    Held,
    Asked,
    BackfillStarted,
    BackfillProgressed,
    BackfillFinished,
    IndexBuilding,
    Notice,
    ComparisonStarted,
    Heartbeat,
    DocumentPart,
)
