"""The runner's request, and the environment variables from Secrets that it names: no credential is in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headway_contract.drift_report import DriftWish
from headway_contract.planned import Planned
from headway_contract.request import CredentialVariables, DatabaseRequest, Mode, Part, RunRequest
from headway_operator.api.migration import CredentialsFrom, Database, Migration, Spec
from headway_operator.planner.actions import StartJob
from headway_operator.planner.snapshot import Stage
from headway_operator.planner.steer import backfill_settings
from headway_operator.settings import Settings

CONTROL_FOLDER = "/headway-control"
CONTROL_FILE = "control"
TERMINATION_LOG = "/dev/termination-log"

_MODES = {
    Stage.PLAN: (Mode.PLAN, Part.ALL),
    Stage.MIGRATE: (Mode.MIGRATE, Part.BEFORE_DEPLOY),
    Stage.POST_DEPLOY: (Mode.MIGRATE, Part.ALL),
}
_MAY_BE_ABSENT = ("port",)


@dataclass(frozen=True)
class Source:
    """How one database's request names its credentials, and the variables that the kubelet fills."""

    request: DatabaseRequest
    variables: tuple[dict[str, Any], ...]


def request_for(start: StartJob, migration: Migration, settings: Settings) -> RunRequest:
    """What the runner of this Job is asked: a plan of all databases, or one database's migration."""
    spec = spec_of(migration)
    mode, part = _MODES[start.stage]
    return RunRequest(
        mode=mode,
        part=part,
        run=start.run,
        databases=tuple(source.request for source in sources_for(start, spec)),
        command=spec.command,
        tells_facts=start.stage is Stage.PLAN,
        environment=spec.environment,
        when_ahead=spec.when_ahead,
        lock_timeout_seconds=spec.locks.timeout_seconds,
        lock_give_up_seconds=spec.locks.give_up_after_seconds,
        statement_timeout_seconds=spec.statement_timeout_seconds,
        backfill=backfill_settings(migration),
        drift=DriftWish(spec.drift.ignore) if spec.drift.is_wished else None,
        grace_seconds=settings.grace_seconds,
        asks_before_revisions=spec.asks_before_revisions,
        control_file=f"{CONTROL_FOLDER}/{CONTROL_FILE}",
        termination_log=TERMINATION_LOG,
    )


def spec_of(migration: Migration) -> Spec:
    """The specification, which must have been read where a Job is started."""
    assert migration.spec is not None
    return migration.spec


def sources_for(start: StartJob, spec: Spec) -> tuple[Source, ...]:
    """The databases of this Job, each with its variables."""
    wanted = [database for database in spec.databases if start.database in ("", database.name)]
    return tuple(
        _source(f"HEADWAY_DATABASE_{index}", database, spec, start.planned)
        for index, database in enumerate(wanted)
    )


def environment_for(start: StartJob, migration: Migration, settings: Settings) -> Iterator[Any]:
    """The variables that Headway adds to the container."""
    # The kubelet replaces $(NAME) in values; in JSON a dollar can be written so that it finds none.
    request = request_for(start, migration, settings).to_json().replace("$", "\\u0024")
    for source in sources_for(start, spec_of(migration)):
        yield from source.variables
    yield {"name": "HEADWAY_REQUEST", "value": request}


def _source(prefix: str, database: Database, spec: Spec, planned: Planned | None) -> Source:
    url, parts, variables = _credentials(prefix, database)
    override = database.alembic
    return Source(
        DatabaseRequest(
            name=database.name,
            target=spec.target_of(database),
            url_variable=url,
            credentials=parts,
            export_url_as=database.url_env,
            version_table=database.version_table,
            version_table_schema=database.version_table_schema,
            config=override.config or spec.alembic.config,
            section=override.section or spec.alembic.section,
            planned=planned,
            x=tuple(sorted({**(spec.alembic.x or {}), **(override.x or {})}.items())),
        ),
        variables,
    )


def _credentials(
    prefix: str, database: Database
) -> tuple[str, CredentialVariables, tuple[dict[str, Any], ...]]:
    if database.url_from is not None:
        reference = database.url_from.secret_key_ref
        name = f"{prefix}_URL"
        return name, CredentialVariables(), (_variable(name, reference.name, reference.key),)
    if database.credentials_from is not None:
        return _parts(prefix, database.credentials_from)
    return "", CredentialVariables(), ()


def _parts(
    prefix: str, source: CredentialsFrom
) -> tuple[str, CredentialVariables, tuple[dict[str, Any], ...]]:
    keys, secret = source.keys_in_force, source.secret_ref.name
    if keys.uri:
        name = f"{prefix}_URL"
        return name, CredentialVariables(), (_variable(name, secret, keys.uri),)
    fields = ("host", "port", "database", "username", "password")
    named = {field: f"{prefix}_{field.upper()}" for field in fields if getattr(keys, field)}
    variables = tuple(
        _variable(name, secret, getattr(keys, field), optional=field in _MAY_BE_ABSENT)
        for field, name in named.items()
    )
    return "", CredentialVariables(**named), variables


def _variable(name: str, secret: str, key: str, optional: bool = False) -> dict[str, Any]:
    reference = {"name": secret, "key": key} | ({"optional": True} if optional else {})
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}
