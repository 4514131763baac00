"""Which file is the Alembic configuration of a folder, and which of its sections are meant."""

from __future__ import annotations

from pathlib import Path

from headway_cli.problems import BadInput, Problem

PYPROJECT = "pyproject.toml"
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
    pyproject = path / PYPROJECT
    if configures_alembic(pyproject):
        return pyproject
    raise BadInput(Problem(str(path), "", "there is no alembic.ini here, nor a [tool.alembic]", NO_PROJECT))


def configures_alembic(pyproject: Path) -> bool:
    """Whether it is there and has [tool.alembic]."""
    return pyproject.is_file() and "[tool.alembic" in pyproject.read_text(encoding="utf-8", errors="replace")


def projects_in(file: Path, named: str) -> tuple[str, ...]:
    """The section that is named, [alembic], or where there is none each with scripts; raises :class:`BadInput`."""
    from headway_cli.first.sections import ALEMBIC, read_config, sections_of

    found = sections_of(read_config(file, named or ALEMBIC), file, named)
    return (ALEMBIC,) if ALEMBIC in found else found
