"""Looks into the files of an Alembic project: its databases, histories and names. env.py is not run."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway_cli.first.found import FoundDatabase, FoundProject
from headway_cli.first.sections import ALEMBIC, NAME, listed_databases, read_config, sections_of
from headway_cli.first.variables import url_variables, variable_of
from headway_cli.project_files import PYPROJECT, configuration

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

FLASK = "migrations/alembic.ini"
"""Where Flask-Migrate has its configuration, without a script_location: Flask-Migrate adds that."""
Branches = tuple[tuple[str, ...], ...]
ALONE = (FoundDatabase("main"),)
LONGEST_NAME = 40
"""Of the resource: names of Jobs are made of it."""


def project_at(path: Path, config: str, section: str) -> FoundProject:
    """What is there; ``config`` and ``section`` are as given, or empty. Raises :class:`BadInput`."""
    folder = path if path.is_dir() else path.parent
    if not config and not section and path.is_dir() and _is_of_flask(path):
        return _of_flask(path)
    file = configuration(path, config).resolve()
    seen = file.relative_to(folder.resolve()) if file.is_relative_to(folder.resolve()) else file
    # What revision files print when they are read is no part of what is written.
    with chdir(folder), redirect_stdout(sys.stderr):
        config_of_file = read_config(file, section or ALEMBIC)
        sections = sections_of(config_of_file, file, section)
        listed = listed_databases(config_of_file, file, sections[0]) if len(sections) == 1 else ()
        databases, notes = _databases(file, sections, listed)
        name = _name_of(folder.resolve())
    return FoundProject(
        name,
        seen.as_posix(),
        sections[0] if len(sections) == 1 else ALEMBIC,
        databases,
        shares_variables=len(sections) == 1 and len({one.variable for one in databases} - {""}) > 1,
        notes=notes,
    )


def _is_of_flask(folder: Path) -> bool:
    """Its env.py asks the application, which only Flask's own command makes."""
    env = folder / "migrations" / "env.py"
    has_own = (folder / "alembic.ini").exists()
    return not has_own and (folder / FLASK).is_file() and env.is_file() and b"current_app" in env.read_bytes()


def _of_flask(folder: Path) -> FoundProject:
    main = FoundDatabase("main", variable="DATABASE_URL")
    return FoundProject(
        _name_of(folder.resolve()), "alembic.ini", ALEMBIC, (main,), ("flask", "db", "upgrade")
    )


def _databases(
    file: Path, sections: tuple[str, ...], listed: tuple[str, ...]
) -> tuple[tuple[FoundDatabase, ...], tuple[str, ...]]:
    """One for each name of the list, or one for each section."""
    if len(sections) == 1:
        return _of_section(file, sections[0], tuple(map(FoundDatabase, listed)) or ALONE)
    found: list[FoundDatabase] = []
    notes: list[str] = []
    for section in sections:
        name = "main" if section == ALEMBIC else _valid(section)
        more, told = _of_section(file, section, (FoundDatabase(name, "" if section == ALEMBIC else section),))
        found += more
        notes += told
    return tuple(found), tuple(dict.fromkeys(notes))


def _of_section(
    file: Path, section: str, databases: tuple[FoundDatabase, ...]
) -> tuple[tuple[FoundDatabase, ...], tuple[str, ...]]:
    """The same with targets and variables, as far as they can be told without env.py."""
    directory, problem = _history(file, section)
    if directory is None:
        note = f"The revisions of [{section}] could not be read here, so no targets are known: {problem}"
        return databases, (note,)
    branches = _branches(directory)
    variables = url_variables(Path(directory.dir) / "env.py")
    if databases == ALONE and len(branches) > 1 and (several := _one_for_each_branch(branches, variables)):
        databases = several
    is_alone = len(databases) == 1
    labels = sum(branches, ()) if len(branches) > 1 else ()
    made = tuple(
        replace(
            one,
            target=f"{one.name}@head" if not is_alone and one.name in labels else "",
            variable=variable_of(one.name, variables, is_alone),
        )
        for one in databases
    )
    return made, tuple(_notes(made, branches, variables))


def _one_for_each_branch(branches: Branches, variables: tuple[str, ...]) -> tuple[FoundDatabase, ...]:
    """One env.py that loops over databases, each with a branch and a variable of its name."""
    owners = {
        variable_of(label, variables, False): label
        for labels in branches
        for label in labels
        if NAME.fullmatch(label)
    }
    owners.pop("", None)
    if any(len(set(labels) & set(owners.values())) != 1 for labels in branches):
        return ()
    return tuple(FoundDatabase(owners[one]) for one in variables if one in owners)


def _history(file: Path, section: str) -> tuple[ScriptDirectory | None, str]:
    """Read whole; else None and why."""
    from alembic.script import ScriptDirectory

    from headway_runner.project.config import config_of, refuse_doubled_revisions
    from headway_runner.project.revision_files import what_is_wrong
    from headway_runner.words.wording import describe

    refuse_doubled_revisions()
    try:
        directory = ScriptDirectory.from_config(config_of(file, section))
    except Exception as error:  # noqa: BLE001 - whatever a project raises is told as its own
        return None, describe(error)
    try:
        directory.get_heads()
    except Exception as error:  # noqa: BLE001 - the same
        return None, what_is_wrong(directory, error)
    return directory, ""


def _branches(directory: ScriptDirectory) -> Branches:
    """The labels of each head."""
    revisions: list[Any] = [directory.get_revision(head) for head in directory.get_heads()]
    return tuple(tuple(sorted(one.branch_labels)) for one in revisions)


def _notes(
    databases: tuple[FoundDatabase, ...], branches: Branches, variables: tuple[str, ...]
) -> Iterator[str]:
    if len(branches) > 1 and not all(one.target for one in databases):
        labels = sorted(set(sum(branches, ())))
        named = f" (labels: {', '.join(labels)})" if labels else ""
        yield (
            f"The history has {len(branches)} heads{named}; target heads takes all of them. Where each is of another "
            "database, write an entry for each of these, with target: LABEL@head."
        )
    if len(variables) > 1 and not all(one.variable for one in databases):
        yield f"env.py reads {', '.join(variables)}: name the one of each database as its urlEnv."


def _name_of(folder: Path) -> str:
    """That of the distribution, else the folder's."""
    try:
        project = tomllib.loads((folder / PYPROJECT).read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError):
        project = {}
    named = project.get("name") if isinstance(project, dict) else ""
    return _valid(str(named or folder.name))[:LONGEST_NAME].rstrip("-")


def _valid(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "migrations"
