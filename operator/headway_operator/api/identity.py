"""Names that are the same however often they are worked out: of what runs, of a run, of its Jobs.

What runs is image, revision, target, command, Alembic's settings, environment, what to do when ahead, the databases
with their sources, and the retry token. How it runs (resources, timeouts, order, history) is no part of it, so
changing that never runs anything again. A database without a source of its own is found by the application through
the Job's environment, which is its source then.
"""

import hashlib
import json
import re
from dataclasses import replace
from typing import Any

from headway_contract.codec import encode
from headway_operator.api.migration import Database, Migration, Spec

JOB_NAME_LIMIT = 52
"""A pod adds a suffix to its Job's name, and 63 is the limit of a label's value."""
_NAMES_OF_STAGES = ("plan", "migrate")
_LATER = "PostDeploy"
"""Its Jobs have a hash in their names: a database may be called like that."""


def identity_of(spec: Spec, retry_token: str) -> str:
    """The hash of what runs: 16 hexadecimal digits."""
    what = [
        spec.image,
        spec.revision,
        spec.target,
        spec.command,
        encode(spec.alembic),
        spec.environment,
        spec.when_ahead.value,
        [_database_identity(database) for database in sorted(spec.databases, key=lambda one: one.name)],
        _sources_in_environment(spec),
        retry_token,
    ]
    return _hash(what, 16)


def digest_to_approve(spec: Spec, plan_digest: str) -> str:
    """``sha256:…`` over what runs and what it would do: the same release on the same databases, and nothing else.

    Not where the project and the interpreter are: on two machines they are elsewhere, and the plan has the hashes of
    the revisions' files.
    """
    anywhere = replace(spec, alembic=replace(spec.alembic, working_dir="", python=""))
    return "sha256:" + _hash([identity_of(anywhere, retry_token=""), plan_digest], 64)


def new_run_id(migration: Migration, identity: str, predecessor: str) -> str:
    """The id of the run that follows ``predecessor``: the same thing wished again later is another run."""
    return _hash([migration.uid, migration.generation, identity, predecessor], 8)


def job_name(migration_name: str, uid: str, run: str, database: str, stage: str, attempt: int) -> str:
    """``shop-main-3f9c2e01-1``: readable, at most 52 characters, distinct for distinct arguments."""
    is_later = stage == _LATER
    part = f"{database}-post" if is_later else database or stage.lower()
    ending = f"-{run}-{attempt}"
    room = JOB_NAME_LIMIT - len(ending)
    start = f"{_label(migration_name)}-{_label(part)}"
    is_own = start == f"{migration_name}-{part}" and database not in _NAMES_OF_STAGES and not is_later
    if len(start) > room or not is_own:
        start = f"{start[: room - 7].strip('-')}-{_hash([uid, migration_name, part, stage], 6)}"
    return start + ending


def _database_identity(database: Database) -> Any:
    value = encode(database)
    value.pop("dependsOn", None)
    return value


def _sources_in_environment(spec: Spec) -> Any:
    if all(database.url_from or database.credentials_from for database in spec.databases):
        return []
    return [spec.job.env, spec.job.env_from]


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9-]", "-", text.lower()).strip("-")


def _hash(value: Any, digits: int) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:digits]
