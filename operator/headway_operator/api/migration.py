"""``DatabaseMigration`` as dataclasses: the spec of the CustomResourceDefinition, parsed once and trusted inside.

Defaults equal those of the CRD; what the API server has checked is not checked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway_contract.backfill import LEFT_OUT, BackfillSettings
from headway_contract.codec import Undecodable, decode
from headway_contract.planned import is_relative
from headway_contract.request import WhenAhead
from headway_operator.api.hooks import Hook, Point
from headway_operator.api.status import Status

GROUP = "headway.dev"
VERSION = "v1alpha1"
PLURAL = "databasemigrations"
KIND = "DatabaseMigration"
API_VERSION = f"{GROUP}/{VERSION}"
FINALIZER = "headway.dev/active-job"
RETRY_ANNOTATION = "headway.dev/retry"
PAUSED_ANNOTATION = "headway.dev/paused"
PACE_ANNOTATION = "headway.dev/pace"
APPROVE_ANNOTATION = "headway.dev/approve"
APPROVED_BY_ANNOTATION = "headway.dev/approved-by"
ABORT_ANNOTATION = "headway.dev/abort"
NAME_CHARACTERS = 256
TOKEN_CHARACTERS = 1024
PACES = ("Gentle", "Balanced", "Fast")


@dataclass(frozen=True)
class Alembic:
    """Where the Alembic project is and how it is called."""

    config: str = "alembic.ini"
    section: str = "alembic"
    working_dir: str = ""
    """Empty: the image's own."""
    python: str = "python3"
    x: Mapping[str, str] | None = None


@dataclass(frozen=True)
class AlembicOverride:
    """What one database says differently; None: as the resource has it."""

    config: str | None = None
    section: str | None = None
    x: Mapping[str, str] | None = None


@dataclass(frozen=True)
class SecretKeyRef:
    """One key of a Secret in the resource's namespace."""

    name: str
    key: str


@dataclass(frozen=True)
class UrlFrom:
    """A Secret's key that holds the whole URL."""

    secret_key_ref: SecretKeyRef


@dataclass(frozen=True)
class SecretRef:
    """A Secret in the resource's namespace."""

    name: str


@dataclass(frozen=True)
class CustomKeys:
    """Which key of the Secret holds what; empty: it does not."""

    uri: str = ""
    host: str = ""
    port: str = ""
    database: str = ""
    username: str = ""
    password: str = ""


CONVENTIONS = {
    "CloudNativePG": CustomKeys("", "host", "port", "dbname", "username", "password"),
    "Crunchy": CustomKeys("", "host", "port", "dbname", "user", "password"),
    "ServiceBinding": CustomKeys("", "host", "port", "database", "username", "password"),
}
"""Which key holds what in the Secrets that CloudNativePG, Crunchy's operator and service bindings write."""


@dataclass(frozen=True)
class CredentialsFrom:
    """A Secret that holds the parts of a URL under the names of a convention."""

    secret_ref: SecretRef
    keys: str
    custom_keys: CustomKeys = CustomKeys()

    @property
    def keys_in_force(self) -> CustomKeys:
        """Those of the convention, or the custom ones."""
        return CONVENTIONS.get(self.keys, self.custom_keys)


@dataclass(frozen=True)
class Database:
    """One database; the order of the list is the order of execution."""

    name: str
    target: str = ""
    """Empty: the resource's target."""
    url_from: UrlFrom | None = None
    credentials_from: CredentialsFrom | None = None
    url_env: str = ""
    depends_on: tuple[str, ...] = ()
    version_table: str = ""
    version_table_schema: str = ""
    alembic: AlembicOverride = AlembicOverride()


@dataclass(frozen=True)
class Strategy:
    """How the databases follow each other."""

    max_parallel: int = 1
    on_failure: str = "Stop"


@dataclass(frozen=True)
class PlanSettings:
    """Whether there is a plan before the first change, and who lets it pass."""

    mode: str = "Always"
    approval: str = "Automatic"


@dataclass(frozen=True)
class LintSettings:
    """Whether the pending revisions are looked at, and which rules are not asked."""

    mode: str = "Warn"
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class DriftSettings:
    """Whether a run is followed by a comparison with the models, and which differences are left out."""

    report: str = "Never"
    ignore: tuple[str, ...] = ()

    @property
    def is_wished(self) -> bool:
        """Each run is to be followed by it."""
        return self.report == "AfterRun"


@dataclass(frozen=True)
class Locks:
    """How long a statement waits for a lock, and how long the run goes on trying."""

    timeout_seconds: int = 2
    give_up_after_seconds: int = 1800


@dataclass(frozen=True)
class Retry:
    """Attempts after the first one, and the pause before them: doubled each time, up to a bound."""

    limit: int = 3
    backoff_seconds: int = 10
    max_backoff_seconds: int = 300

    @property
    def attempts(self) -> int:
        """How many there are in all: the first, and ``limit`` more."""
        return self.limit + 1


@dataclass(frozen=True)
class JobSettings:
    """What the Job's pod gets beside what Headway puts there; Kubernetes' own objects, passed on as they are."""

    service_account_name: str = ""
    resources: Mapping[str, Any] | None = None
    node_selector: Mapping[str, str] | None = None
    tolerations: tuple[Any, ...] = ()
    image_pull_secrets: tuple[Any, ...] = ()
    env: tuple[Any, ...] = ()
    env_from: tuple[Any, ...] = ()
    pod_labels: Mapping[str, str] | None = None
    pod_annotations: Mapping[str, str] | None = None
    priority_class_name: str = ""
    security_context: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Workload:
    """A Deployment or StatefulSet of the resource's namespace, by its name; exactly one of the two."""

    deployment: str = ""
    stateful_set: str = ""

    @property
    def shown(self) -> str:
        """For people."""
        return f"Deployment {self.deployment}" if self.deployment else f"StatefulSet {self.stateful_set}"


@dataclass(frozen=True)
class PostDeploy:
    """What must be rolled out before what waits for it runs; nothing: it runs as soon as the gate is open."""

    wait_for: tuple[Workload, ...] = ()


@dataclass(frozen=True)
class Spec:
    """The wish. Fields of parts that this release does not have yet are kept raw, to be refused by name."""

    image: str
    databases: tuple[Database, ...]
    revision: str = ""
    target: str = "heads"
    environment: str = ""
    command: tuple[str, ...] = ()
    alembic: Alembic = Alembic()
    strategy: Strategy = Strategy()
    plan: PlanSettings = PlanSettings()
    when_ahead: WhenAhead = WhenAhead.ACCEPT
    locks: Locks = Locks()
    statement_timeout_seconds: int = 0
    retry: Retry = Retry()
    active_deadline_seconds: int = 86400
    job: JobSettings = JobSettings()
    suspend: bool = False
    successful_runs_history_limit: int = 3
    failed_runs_history_limit: int = 3
    lint: LintSettings = LintSettings()
    drift: DriftSettings = DriftSettings()
    backfill: BackfillSettings = LEFT_OUT
    post_deploy: PostDeploy = PostDeploy()
    hooks: tuple[Hook, ...] = ()

    def target_of(self, database: Database) -> str:
        """The database's own target, else that of the resource."""
        return database.target or self.target

    @property
    def is_planned(self) -> bool:
        """Whether a plan comes first: for an approval, a relative target, a way back, and hooks of revisions.

        What a relative target means must be found out once and for all attempts.
        """
        relative = any(is_relative(self.target_of(database)) for database in self.databases)
        is_needed = (
            self.plan.approval == "Required" or relative or self.may_go_back or self.tells_of_revisions
        )
        return self.plan.mode != "Never" or is_needed

    @property
    def may_go_back(self) -> bool:
        """Whether a database that is past its target is taken back to it."""
        return self.when_ahead is WhenAhead.DOWNGRADE

    @property
    def tells_of_revisions(self) -> bool:
        """Whether hooks are told of each revision: then it must be known which ones there are, whatever gets lost."""
        points = {point for hook in self.hooks for point in hook.points}
        return bool(points & {Point.BEFORE_REVISION, Point.AFTER_REVISION})

    @property
    def asks_before_revisions(self) -> bool:
        """Whether a hook may hold each revision."""
        return any(hook.holds and Point.BEFORE_REVISION in hook.points for hook in self.hooks)


@dataclass(frozen=True)
class Migration:
    """One resource as it was read."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    deleting: bool
    finalizers: tuple[str, ...]
    annotations: Mapping[str, str]
    spec: Spec | None
    """None when it could not be read; ``problem`` says why."""
    problem: str
    status: Status

    @property
    def has_finalizer(self) -> bool:
        """Whether Headway's finalizer holds it."""
        return FINALIZER in self.finalizers

    @property
    def retry_token(self) -> str:
        """The value of the retry annotation; a new value is a new run, taking the annotation away is not."""
        return self._token(RETRY_ANNOTATION) or self.status.last_handled_retry

    @property
    def paused_token(self) -> str:
        """The value of the paused annotation; ``false`` and nothing mean that it is not paused."""
        token = self._token(PAUSED_ANNOTATION)
        return "" if token.lower() == "false" else token

    @property
    def approve_token(self) -> str:
        """The value of the approve annotation: the digest of the plan that may be carried out."""
        return self._token(APPROVE_ANNOTATION)

    @property
    def approved_by(self) -> str:
        """Who approved, as far as whoever wrote the annotation said; '' when nobody did."""
        return self.annotations.get(APPROVED_BY_ANNOTATION, "").strip()[:NAME_CHARACTERS]

    @property
    def abort_token(self) -> str:
        """The value of the abort annotation."""
        return self._token(ABORT_ANNOTATION)

    @property
    def pace_token(self) -> str:
        """The value of the pace annotation."""
        return self._token(PACE_ANNOTATION)

    @property
    def pace(self) -> str:
        """The pace that it asks for, however it is written; empty when it asks for none, or for one there is not."""
        asked = self.pace_token.strip().capitalize()
        return asked if asked in PACES else ""

    def _token(self, annotation: str) -> str:
        """Its value, as far as the status has room to acknowledge it."""
        return self.annotations.get(annotation, "")[:TOKEN_CHARACTERS]


def parse(body: Mapping[str, Any]) -> Migration:
    """The resource from the API server's JSON; never raises for what is in ``spec``: that is ``problem``."""
    metadata = body["metadata"]
    spec, problem = _parse_spec(body.get("spec") or {})
    return Migration(
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        generation=metadata.get("generation", 1),
        resource_version=metadata.get("resourceVersion", ""),
        deleting="deletionTimestamp" in metadata,
        finalizers=tuple(metadata.get("finalizers") or ()),
        annotations=dict(metadata.get("annotations") or {}),
        spec=spec,
        problem=problem,
        status=_parse_status(body.get("status") or {}),
    )


def _parse_spec(spec: Mapping[str, Any]) -> tuple[Spec | None, str]:
    try:
        return decode(Spec, spec, "spec"), ""
    except Undecodable as problem:
        return None, str(problem)


def _parse_status(status: Mapping[str, Any]) -> Status:
    """A status that somebody spoiled by hand is no status at all: everything in it can be found out again."""
    try:
        return decode(Status, status, "status")
    except Undecodable:
        return Status()
