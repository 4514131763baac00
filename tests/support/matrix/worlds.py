"""A row at work: a project made by the row's own Alembic, plain Alembic and the runner under the row's Python."""

from __future__ import annotations

import itertools
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from headway_contract.request import RunRequest
from support.matrix.dimensions import Row
from support.matrix.environments import python_of
from support.matrix.places import Place
from support.projects import Project
from support.runner import Run, RunningRunner, database_request, request_for, start_runner

TEMPLATES = {"asyncpg": "async"}
VERBOSE = {"PYTHONWARNINGS": "default"}
"""What the runner's own code does that a Python frowns upon is seen."""


@dataclass(frozen=True)
class World:
    """A row with a folder."""

    row: Row
    folder: Path
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def python(self) -> str:
        """The interpreter; raises AssertionError with what to do when it is not made yet."""
        path = python_of(self.row)
        assert path.exists(), f"{path} is not there: PYTHONPATH=tests python -m support.matrix.obtain all"
        return str(path)

    def project(self, name: str = "project") -> Project:
        """`alembic init` by the row's Alembic, nothing changed."""
        folder = self.folder / name
        folder.mkdir()
        self._alembic(folder, "init", "-t", TEMPLATES.get(self.row.driver, "generic"), "migrations")
        return Project(folder)

    def plain_alembic(self, project: Project, place: Place) -> str:
        """`alembic upgrade heads`; what it wrote to stderr, its warnings too."""
        lines = (project.folder / project.config).read_text().splitlines()
        url = f"sqlalchemy.url = {place.url}"
        text = "\n".join(url if line.startswith("sqlalchemy.url") else line for line in lines)
        (project.folder / "plain.ini").write_text(text)
        return self._alembic(project.folder, "-c", "plain.ini", "upgrade", "heads")

    def start(self, project: Project, place: Place, request: RunRequest | None = None) -> RunningRunner:
        """The runner, started from the source tree as it is injected into an image."""
        scratch = project.folder / f"run-{next(self._numbers)}"
        request = request or request_for(database_request())
        return start_runner(project.folder, request, {"URL_main": place.url, **VERBOSE}, scratch, self.python)

    def run(self, project: Project, place: Place, request: RunRequest | None = None) -> Run:
        """Start it and wait for its end."""
        return self.start(project, place, request).finish()

    def _alembic(self, folder: Path, *arguments: str) -> str:
        command = [self.python, "-m", "alembic", *arguments]
        environment = {**os.environ, **VERBOSE}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr
