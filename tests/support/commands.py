"""Applications with a migration command of their own, for tests of attach mode."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

from headway_contract.request import Mode
from support.projects import Project, from_template
from support.runner import PYTHON, Run, RunningRunner, database_request, request_for, run_runner, start

PROGRAMS = Path(PYTHON).parent
ENV = """
    import os
    from alembic import context
    from sqlalchemy import create_engine, pool

    def run_migrations():
        with create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool).connect() as connection:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()

    run_migrations()
"""
URL_OF_THE_CONFIG = "config.set_main_option('sqlalchemy.url', os.environ['DATABASE_URL'].replace('%', '%%'))"
"""For an env.py as Alembic's templates have it."""
ADMIN = """
    import os
    import sys
    from alembic import command
    from alembic.config import Config

    config = Config("alembic.ini")
    {body}
"""


def application(folder: Path, env: str = ENV) -> Project:
    """A project whose env.py takes its URL from DATABASE_URL alone."""
    return from_template(folder).write_env(env)


def admin(
    project: Project, body: str = "command.upgrade(config, 'heads')", name: str = "admin.py"
) -> tuple[str, ...]:
    """A command line program of the application: Python that has `command` and `config`; returns the command."""
    code = textwrap.dedent(ADMIN).format(body=textwrap.dedent(body))
    (project.folder / name).write_text(code)
    return (PYTHON, name)


def script(project: Project, body: str, name: str = "migrate.sh") -> tuple[str, ...]:
    """A shell script of the application; returns the command."""
    path = project.folder / name
    path.write_text(f"#!/bin/sh\n{textwrap.dedent(body)}\n")
    path.chmod(0o755)
    return (str(path),)


def variables(**others: str) -> dict[str, str]:
    """The path with the programs of this environment."""
    return {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", **others}


def attach(
    project: Project,
    url: str,
    command: tuple[str, ...],
    options: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    **database: Any,
) -> Run:
    """Take one database named main to head through a command."""
    request = request_for(
        database_request(**{"export_url_as": "DATABASE_URL", **database}), command=command, **(options or {})
    )
    return run_runner(project, request, {"main": url}, **variables(**(environment or {})))


def attach_plan(project: Project, url: str, command: tuple[str, ...], **options: Any) -> Run:
    """Plan one database named main through a command."""
    return attach(project, url, command, {"mode": Mode.PLAN, **options})


def start_attached(
    project: Project, url: str, command: tuple[str, ...], options: dict[str, Any] | None = None
) -> RunningRunner:
    """Start and return at once."""
    request = request_for(database_request(export_url_as="DATABASE_URL"), command=command, **(options or {}))
    return start(project, request, {"main": url}, **variables())
