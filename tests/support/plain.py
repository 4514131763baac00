"""Alembic's own command line, to compare the runner with."""

from __future__ import annotations

import os
import subprocess

from support.projects import Project
from support.runner import PYTHON


def plain_alembic(
    project: Project, url: str = "", *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`alembic upgrade heads`, with the URL in a configuration file of its own and `arguments` before the command."""
    return subprocess.run(
        _command(project, url, arguments),
        cwd=project.folder,
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def start_plain_alembic(project: Project, url: str) -> subprocess.Popen[str]:
    """The same as a process that goes on; close its pipes by `communicate()`."""
    return subprocess.Popen(
        _command(project, url, ()),
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _command(project: Project, url: str, arguments: tuple[str, ...]) -> list[str]:
    config = project.config
    if url:
        config = "plain.ini"
        text = (project.folder / project.config).read_text().splitlines()
        changed = ["sqlalchemy.url = " + url if line.startswith("sqlalchemy.url") else line for line in text]
        (project.folder / config).write_text("\n".join(changed))
    return [PYTHON, "-m", "alembic", "-c", config, *arguments, "upgrade", "heads"]
