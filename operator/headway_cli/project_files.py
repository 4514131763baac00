"""Which file is the Alembic configuration of a folder."""

from __future__ import annotations

from pathlib import Path

from headway_cli.problems import BadInput, Problem

NO_PROJECT = "Name the folder of the Alembic configuration, or the file: PATH, with --config FILE."


def configuration(path: Path, named: str) -> Path:
    """The named one, alembic.ini, or pyproject.toml with [tool.alembic]; raises :class:`BadInput`."""
    if not path.exists():
        raise BadInput(Problem(str(path), "", "there is no such file or folder"))
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
