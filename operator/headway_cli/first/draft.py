"""The first resource of a project as YAML, with a comment above each line that a person must change. Pure."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from headway_cli.first.found import FoundDatabase, FoundProject
from headway_operator.api.migration import API_VERSION, KIND

CHANGE = "CHANGE"
USUAL_CONFIG, USUAL_SECTION, USUAL_KEY = "alembic.ini", "alembic", "uri"
_COLUMNS = 110
_PLAIN = re.compile(r"[A-Za-z0-9][-\w./@]*(:[-\w./@]+)*")


@dataclass(frozen=True)
class Wishes:
    """What the command line says; empty: a place that a person fills in."""

    image: str = ""
    secret: str = ""
    """One for all databases."""
    secret_key: str = ""


def draft(project: FoundProject, wishes: Wishes) -> str:
    """The text of the file."""
    return "\n".join(_lines(project, wishes)) + "\n"


def _lines(project: FoundProject, wishes: Wishes) -> Iterator[str]:
    yield f"apiVersion: {API_VERSION}"
    yield f"kind: {KIND}"
    yield "metadata:"
    yield f"  name: {project.name}"
    yield "spec:"
    if not wishes.image:
        yield f"  # {CHANGE}: the application's image, by a version tag or a digest. Each release names another."
    yield f"  image: {_scalar(wishes.image or f'registry.example.com/{project.name}:CHANGE-ME')}"
    if project.command:
        yield "  # The application's own command, run in place of Alembic."
        yield f"  command: [{', '.join(map(_scalar, project.command))}]"
    yield from _alembic(project)
    for note in project.notes:
        yield from _comment(note)
    yield "  databases:"
    for database in project.databases:
        yield from _database(project, database, wishes)
    if project.shares_variables:
        yield "  # env.py reads the URLs of all databases, also in the Job of one. Headway lets it work"
        yield "  # on the one that the Job is for."
        yield "  job:"
        yield f"    envFrom: [{{secretRef: {{name: {_scalar(_secret(project, wishes))}, optional: true}}}}]"


def _secret(project: FoundProject, wishes: Wishes) -> str:
    """The one that several databases share."""
    return wishes.secret or f"{project.name}-databases"


def _alembic(project: FoundProject) -> Iterator[str]:
    what = (
        "the one in which the command starts" if project.command else f"the folder that has {project.config}"
    )
    yield f"  # Where the image's WORKDIR is not {what}, name that:"
    fields = {"config": (project.config, USUAL_CONFIG), "section": (project.section, USUAL_SECTION)}
    if project.command or all(value == usual for value, usual in fields.values()):
        yield "  # alembic: {workingDir: /app}"
        return
    yield "  alembic:"
    yield "    # workingDir: /app"
    for name, (value, usual) in fields.items():
        if value != usual:
            yield f"    {name}: {_scalar(value)}"


def _database(project: FoundProject, database: FoundDatabase, wishes: Wishes) -> Iterator[str]:
    is_shared = bool(wishes.secret) or project.shares_variables
    name = _secret(project, wishes) if is_shared else f"{project.name}-{database.name}"
    yield f"  - name: {database.name}"
    if not wishes.secret:
        yield f"    # {CHANGE}: the Secret beside this resource, and the key in it that holds the database's URL."
    yield f"    urlFrom: {{secretKeyRef: {{name: {_scalar(name)}, key: {_key(project, database, wishes)}}}}}"
    if database.variable and not project.shares_variables:
        guessed = f"{CHANGE}: the environment variable in which the application looks for that URL."
        yield f"    # {guessed if project.command else 'In this environment variable env.py looks for that URL.'}"
        yield f"    urlEnv: {database.variable}"
    if database.target:
        yield f"    target: {_scalar(database.target)}"
    if database.section:
        yield f"    alembic: {{section: {_scalar(database.section)}}}"


def _key(project: FoundProject, database: FoundDatabase, wishes: Wishes) -> str:
    if project.shares_variables:
        return database.variable or database.name
    is_shared = wishes.secret and len(project.databases) > 1
    return _scalar(wishes.secret_key or (database.name if is_shared else USUAL_KEY))


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, _COLUMNS, break_long_words=False, break_on_hyphens=False):
        yield f"  # {line}"


def _scalar(text: str) -> str:
    """As YAML has it in a block and between braces, quoted where it would be read as something else."""
    is_plain = _PLAIN.fullmatch(text) and yaml.safe_load(text) == text
    return text if is_plain else json.dumps(text)
