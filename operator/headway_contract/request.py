"""What the operator asks of one runner: a single JSON value in the environment variable ``HEADWAY_REQUEST``.

No credential is in it: it names the environment variables that the kubelet fills from Secrets.
"""

import json
from enum import Enum

from headway_contract.backfill import LEFT_OUT, BackfillSettings
from headway_contract.codec import Undecodable, decode, encode
from headway_contract.drift_report import DriftWish
from headway_contract.planned import Planned
from headway_contract.records import dataclass

VARIABLE = "HEADWAY_REQUEST"


class Mode(str, Enum):
    """What the runner does."""

    PLAN = "Plan"
    """Look at every database and change nothing."""
    MIGRATE = "Migrate"
    """Take one database to its target."""
    CHECK = "Check"
    """Compare every database with the models of the project, and change nothing."""


class Part(str, Enum):
    """Which of the pending revisions a run applies."""

    ALL = "All"
    BEFORE_DEPLOY = "BeforeDeploy"
    """Those that must precede the application; marked ones that may wait are left."""


class WhenAhead(str, Enum):
    """What to do with a database that is past what the image or the target asks for."""

    ACCEPT = "Accept"
    FAIL = "Fail"
    DOWNGRADE = "Downgrade"


@dataclass(frozen=True)
class CredentialVariables:
    """Names of environment variables that hold one part of the URL each; empty: there is no such part."""

    host: str = ""
    port: str = ""
    database: str = ""
    username: str = ""
    password: str = ""


@dataclass(frozen=True)
class DatabaseRequest:
    """One database: where it is, where it should go, and how the project names it."""

    name: str
    target: str = "heads"
    url_variable: str = ""
    """Environment variable with its URL; with ``credentials`` empty too, the application's configuration decides."""
    credentials: CredentialVariables = CredentialVariables()
    """Used when the variable above is unset or empty."""
    export_url_as: str = ""
    """Also export the URL under this name, for an env.py that reads it."""
    version_table: str = ""
    version_table_schema: str = ""
    config: str = "alembic.ini"
    section: str = "alembic"
    x: tuple[tuple[str, str], ...] = ()
    """Alembic's ``-x key=value`` arguments."""
    starts_from: str = ""
    """Plan as if it were at this revision (``base``: at none), and connect to nothing; empty: look where it is."""
    planned: Planned | None = None
    """What its plan showed; None: there was none, and whatever is pending is applied."""

    @property
    def tells_url(self) -> bool:
        """Some variables hold its URL, or parts of one."""
        return bool(self.url_variable) or self.credentials != CredentialVariables()


@dataclass(frozen=True)
class RunRequest:
    """One runner's task. ``MIGRATE`` has exactly one database."""

    mode: Mode
    run: str
    databases: tuple[DatabaseRequest, ...]
    command: tuple[str, ...] = ()
    """The application's own migration command; empty: Alembic is driven by the runner itself."""
    environment: str = ""
    """Exported as ``ENVIRONMENT``; empty: left as it is."""
    part: Part = Part.ALL
    when_ahead: WhenAhead = WhenAhead.ACCEPT
    tells_facts: bool = False
    """The plan also has what the revisions would do, as far as it can be told without doing it."""
    lock_timeout_seconds: int = 2
    lock_give_up_seconds: int = 1800
    statement_timeout_seconds: int = 0
    """PostgreSQL's ``statement_timeout``; 0: none."""
    backfill: BackfillSettings = LEFT_OUT
    """How backfills go until a control value says otherwise."""
    grace_seconds: int = 30
    """From SIGTERM to SIGKILL; the running statement is cancelled some seconds before its end."""
    heartbeat_seconds: int = 10
    asks_before_revisions: bool = False
    """Wait before each revision until a control value lets it go: somebody outside is asked first."""
    drift: DriftWish | None = None
    """Compare each database that is at its target with the models, once the result is there; None: do not."""
    control_file: str = ""
    """Where the operator's wishes appear (``control.Control``); empty: there is no such channel."""
    termination_log: str = ""
    """Where the result goes; empty: nowhere but the last event."""

    def to_json(self) -> str:
        """The value of ``HEADWAY_REQUEST``."""
        return json.dumps(encode(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "RunRequest":
        """Read the variable; raises :class:`~headway_contract.codec.Undecodable` with what is wrong."""
        try:
            value = json.loads(text)
        except ValueError as error:
            raise Undecodable(f"{VARIABLE} is not JSON: {error}") from None
        request = decode(cls, value, VARIABLE)
        if request.mode is Mode.MIGRATE and len(request.databases) != 1:
            raise Undecodable(f"{VARIABLE}: mode Migrate takes one database, not {len(request.databases)}")
        return request
