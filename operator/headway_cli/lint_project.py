"""What a project's revisions would do, without a database: for ``headway lint``. env.py is not run."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from headway_cli.problems import BadInput, Problem
from headway_cli.project_files import NO_PROJECT
from headway_contract.facts import DatabaseFacts, TableFacts

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory


def facts_of_project(file: Path, section: str, since: str, url: str, dialect: str) -> DatabaseFacts:
    """All revisions, or what comes after ``since``, or what a database lacks; call it in the project's folder.

    Raises :class:`BadInput`.
    """
    from alembic.script import ScriptDirectory

    from headway_runner.project.config import config_of, refuse_doubled_revisions
    from headway_runner.project.revision_files import what_is_wrong

    refuse_doubled_revisions()
    try:
        directory = ScriptDirectory.from_config(config_of(file, section))
    except Exception as error:  # noqa: BLE001 - whatever a project raises is told as its own
        raise BadInput(Problem(str(file), f"[{section}]", str(error), NO_PROJECT)) from None
    database = database_at(url) if url else Seen(dialect)
    try:
        return facts_of(directory, (since,) if since else database.heads, database)
    except Exception as error:  # noqa: BLE001 - whatever a project raises is told as its own
        raise BadInput(Problem(str(file), "", what_is_wrong(directory, error))) from None


@dataclass(frozen=True)
class Seen:
    """What is known of the database; only its dialect when none is asked."""

    dialect: str
    version: tuple[int, ...] = ()
    heads: tuple[str, ...] = ()
    tables: tuple[TableFacts, ...] | None = None


def database_at(text: str) -> Seen:
    """The heads and the catalog of a database; raises :class:`BadInput`."""
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    from headway_runner.connections.database import parse, with_driver
    from headway_runner.facts.tables import all_tables
    from headway_runner.words.run_failed import RunFailed
    from headway_runner.words.secrecy import masked

    try:
        with create_engine(with_driver(parse(text, "--url")), poolclass=NullPool).connect() as connection:
            heads = MigrationContext.configure(connection).get_current_heads()
            version = getattr(connection.dialect, "server_version_info", None) or ()
            return Seen(connection.dialect.name, tuple(version), tuple(heads), all_tables(connection))
    except RunFailed as failed:
        raise BadInput(Problem("--url", "", failed.failure.message)) from None
    except SQLAlchemyError as error:
        told = masked(str(getattr(error, "orig", None) or error))
        raise BadInput(Problem("--url", "", f"the database cannot be asked: {told.strip()}")) from None


def facts_of(directory: ScriptDirectory, since: tuple[str, ...], database: Seen) -> DatabaseFacts:
    """The same of revisions that are read already."""
    from alembic.config import Config

    from headway_runner.facts.gather import Sight, gather
    from headway_runner.facts.offline import Script
    from headway_runner.project.alembic_env import steps_to_heads

    start = tuple(
        str(one.revision) for name in since for one in directory.get_revisions(name) if one is not None
    )
    script = Script(Config(), directory, {}, database.dialect, database.version or None, start)
    steps = tuple(steps_to_heads(directory, start))
    with redirect_stdout(StringIO()):
        return gather((Sight(script, steps, None, True, database.tables),), 1)
