"""What a project's revisions would do, without a database: for ``headway lint``. env.py is not run."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from headway_cli.problems import BadInput, Problem
from headway_contract.facts import DatabaseFacts

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

NO_PROJECT = "Name the folder of the Alembic configuration, or the file: headway lint PATH --config FILE."


def configuration(path: Path, named: str) -> Path:
    """The Alembic configuration of a folder: the named one, alembic.ini, or pyproject.toml with [tool.alembic]."""
    if path.is_file():
        return path
    if named:
        if (path / named).is_file():
            return path / named
        raise BadInput(Problem(str(path / named), "", "there is no such file", NO_PROJECT))
    if (path / "alembic.ini").is_file():
        return path / "alembic.ini"
    pyproject = path / "pyproject.toml"
    if pyproject.is_file() and "[tool.alembic" in pyproject.read_text(errors="replace"):
        return pyproject
    raise BadInput(Problem(str(path), "", "there is no alembic.ini here, nor a [tool.alembic]", NO_PROJECT))


def facts_of_project(file: Path, section: str, since: str, dialect: str) -> DatabaseFacts:
    """All revisions, or those after ``since``; call it in the project's folder. Raises :class:`BadInput`."""
    from alembic.script import ScriptDirectory

    from headway_runner.project import config_of, refuse_doubled_revisions
    from headway_runner.revision_files import what_is_wrong

    refuse_doubled_revisions()
    try:
        directory = ScriptDirectory.from_config(config_of(file, section))
    except Exception as error:  # noqa: BLE001 - whatever a project raises is told as its own
        raise BadInput(Problem(str(file), f"[{section}]", str(error), NO_PROJECT)) from None
    try:
        return facts_of(directory, since, dialect)
    except Exception as error:  # noqa: BLE001 - whatever a project raises is told as its own
        raise BadInput(Problem(str(file), "", what_is_wrong(directory, error))) from None


def facts_of(directory: ScriptDirectory, since: str, dialect: str) -> DatabaseFacts:
    """The same of revisions that are read already."""
    from alembic.config import Config

    from headway_runner.alembic_env import steps_to_heads
    from headway_runner.facts.gather import Sight, gather
    from headway_runner.facts.offline import Script

    start = tuple(one.revision for one in directory.get_revisions(since)) if since else ()
    script = Script(Config(), directory, {}, dialect, None, start)
    with redirect_stdout(StringIO()):
        return gather((Sight(script, tuple(steps_to_heads(directory, start)), None, True, None),), 1)
