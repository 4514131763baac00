"""From files and options to one checked resource with its Secrets; nothing is started before all of it is right."""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway_cli.documents import Document
from headway_cli.problems import BadInput, Problem
from headway_cli.project_files import PYPROJECT, configures_alembic
from headway_cli.schema import checked
from headway_operator.api.migration import API_VERSION, KIND
from headway_operator.cluster.local_process import Sources

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_NEVER = {"waitFor": [{"deployment": "elsewhere"}]}
"""No workload is ever rolled out on this machine."""
GIVEN_URLS = "headway-given-urls"
"""The Secret that holds what ``--url`` says."""


@dataclass(frozen=True)
class Options:
    """What the command line says about one run."""

    urls: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By database: overrides its source."""
    project: str = ""
    python: str = ""
    environment: str = ""
    approve: str = ""
    """The digest of the plan that may be carried out, or its beginning."""
    before_deploy: bool = False
    """Stop at the gate: leave what waits until the application is rolled out."""


@dataclass(frozen=True)
class Intake:
    """Everything that a run needs. ``skipped`` names documents that say nothing to it."""

    where: str
    """The resource's document."""
    resource: dict[str, Any]
    sources: Sources
    project: Path
    skipped: tuple[str, ...] = ()
    stops_at_the_gate: bool = False
    asks_no_workload: bool = False
    """It names workloads to wait for, and there are none here."""
    has_own_pauses: bool = False
    """It says itself how long to wait between attempts."""


def take_in(documents: Sequence[Document], options: Options) -> Intake:
    """Check and complete what was given; raises :class:`BadInput`."""
    document = _the_migration(documents)
    _check_head(document)
    resource = checked(document.body, document.where)
    project = _project(documents, options, resource["spec"])
    waits = "postDeploy" in resource["spec"]
    resource = _localized(resource, options, project, document.where)
    _check_rules(resource, document.where)
    entries = {kind: _entries(documents, kind) for kind in ("Secret", "ConfigMap")}
    given = {GIVEN_URLS: dict(options.urls)} if options.urls else {}
    known = (KIND, "Secret", "ConfigMap")
    skipped = tuple(f"{one.kind or 'a document'} {one.name}" for one in documents if one.kind not in known)
    return Intake(
        document.where,
        resource,
        Sources(entries["Secret"] | given, entries["ConfigMap"]),
        project,
        skipped,
        stops_at_the_gate=options.before_deploy,
        asks_no_workload=waits and not options.before_deploy,
        has_own_pauses="backoffSeconds" in (document.body["spec"].get("retry") or {}),
    )


def _the_migration(documents: Sequence[Document]) -> Document:
    found = [document for document in documents if document.kind == KIND]
    if len(found) == 1:
        return found[0]
    where = ", ".join(dict.fromkeys(document.where for document in found or documents)) or "the input"
    if found:
        raise BadInput(Problem(where, "", f"there are {len(found)} {KIND}s", "Give one for each run."))
    there_is = ", ".join(document.kind or "a document without a kind" for document in documents)
    what = f"there is no {KIND}, only: {there_is}"
    raise BadInput(Problem(where, "", what, f"Add a document of kind {KIND} ({API_VERSION})."))


def _check_head(document: Document) -> None:
    version = document.body.get("apiVersion")
    problems = []
    if version != API_VERSION:
        what = f"is {version!r}" if version else "is missing"
        problems.append(Problem(document.where, "apiVersion", what, f"Write {API_VERSION}."))
    if not _NAME.fullmatch(document.name) or len(document.name) > 253:
        what = "is missing" if not document.name else f"{document.name!r} is no name of a resource"
        advice = "Write lower-case letters, digits and dashes, such as shop."
        problems.append(Problem(document.where, "metadata.name", what, advice))
    if problems:
        raise BadInput(*problems)


def _check_rules(resource: dict[str, Any], where: str) -> None:
    from headway_cli.admission import broken_rules

    problems = broken_rules(resource, where)
    if problems:
        raise BadInput(*problems)


def _project(documents: Sequence[Document], options: Options, spec: Mapping[str, Any]) -> Path:
    """The folder that stands in for the image's working directory.

    Above a file it is looked for as many levels as the configuration lies below the working directory. An
    application's own command knows by itself where its configuration is: then it is the first of these folders. As
    Alembic does, where the configuration file is nowhere the pyproject.toml that would be beside it is taken.
    """
    config = _local_config(spec["alembic"]["config"], spec["alembic"])
    if options.project:
        folders = [Path(options.project)]
    else:
        files = [document.file.resolve() for document in documents if document.file is not None]
        beside = [folder for file in files for folder in file.parents[: len(Path(config).parts)]]
        folders = [*dict.fromkeys(beside), Path.cwd()]
    for folder in folders:
        if (folder / config).is_file() or (spec.get("command") and folder.is_dir()):
            return folder.resolve()
    for folder in folders:
        if configures_alembic((folder / config).with_name(PYPROJECT)):
            return folder.resolve()
    looked = ", ".join(str(folder.resolve()) for folder in dict.fromkeys(folders))
    raise BadInput(
        Problem(
            "--project",
            "",
            f"there is no folder {looked}"
            if spec.get("command")
            else f"there is no {config}, nor a {PYPROJECT} with [tool.alembic], in {looked}",
            "Name the folder that is spec.alembic.workingDir in the image, with --project DIR.",
        )
    )


def _local_config(config: str, alembic: Mapping[str, Any]) -> str:
    """The configuration file relative to the working directory, which is the project's folder here."""
    path, working_dir = Path(config), Path(alembic.get("workingDir") or "/")
    return str(path.relative_to(working_dir)) if path.is_relative_to(working_dir) else config


def _localized(resource: dict[str, Any], options: Options, project: Path, where: str) -> dict[str, Any]:
    """The same wish in terms of this machine: folder, interpreter, environment and given URLs."""
    spec = dict(resource["spec"])
    alembic = spec["alembic"]
    spec["databases"] = _with_urls(spec["databases"], options.urls, where)
    for database in spec["databases"]:
        if "config" in database.get("alembic", {}):
            own = database["alembic"]
            database["alembic"] = own | {"config": _local_config(own["config"], alembic)}
    spec["alembic"] = alembic | {
        "config": _local_config(alembic["config"], alembic),
        "workingDir": str(project),
        "python": _python(options.python),
    }
    spec.pop("postDeploy", None)
    if options.before_deploy:
        spec["postDeploy"] = _NEVER
    if options.environment:
        spec["environment"] = options.environment
    return resource | {"spec": spec}


def _with_urls(
    databases: Iterable[Mapping[str, Any]], urls: Mapping[str, str], where: str
) -> list[dict[str, Any]]:
    known = [database["name"] for database in databases]
    unknown = [name for name in urls if name not in known]
    if unknown:
        what = f"{where} has no database {unknown[0]!r}"
        raise BadInput(Problem("--url", "", what, f"Its databases are: {', '.join(known)}."))
    return [_with_url(database) if database["name"] in urls else dict(database) for database in databases]


def _with_url(database: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in database.items() if name != "credentialsFrom"}
    return kept | {"urlFrom": {"secretKeyRef": {"name": GIVEN_URLS, "key": database["name"]}}}


def _python(wanted: str) -> str:
    found = shutil.which(wanted) if wanted else sys.executable
    if not found:
        raise BadInput(Problem("--python", "", f"there is no program {wanted}", "Name a Python interpreter."))
    # Not resolved: a virtual environment's python is a link, and would lose the environment.
    return os.path.abspath(found)  # noqa: PTH100


def _entries(documents: Sequence[Document], kind: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for document in documents:
        if document.kind != kind:
            continue
        if not document.name or document.name in found:
            what = f"is there twice: {document.name}" if document.name else "is missing"
            raise BadInput(
                Problem(document.where, "metadata.name", what, f"Each {kind} has a name of its own.")
            )
        found[document.name] = _texts(document)
    return found


def _texts(document: Document) -> dict[str, str]:
    """``data`` and over it ``stringData``; the values are never part of a message."""
    is_secret = document.kind == "Secret"
    data = _mapping(document, "data")
    texts = {key: _decoded(document, key, value) if is_secret else value for key, value in data.items()}
    return texts | (_mapping(document, "stringData") if is_secret else {})


def _mapping(document: Document, field_name: str) -> dict[str, str]:
    value = document.body.get(field_name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(Problem(document.where, field_name, "should be an object", "Write KEY: VALUE."))
    for key, item in value.items():
        if not isinstance(item, str):
            advice = "Put the value in quotes."
            raise BadInput(Problem(document.where, f"{field_name}.{key}", "should be a string", advice))
    return value


def _decoded(document: Document, key: str, value: str) -> str:
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        advice = "Write plain text under stringData instead."
        raise BadInput(Problem(document.where, f"data.{key}", "is not text in base64", advice)) from None
