"""The user's Alembic project: a fresh ``Config`` as Alembic's own command line would make it, with the URL put in.

Rule: everything goes through public configuration; no file of the project is changed.
"""

import inspect
import os
import re
import warnings
from argparse import Namespace
from functools import lru_cache
from pathlib import Path

from alembic.config import CommandLine, Config

from headway_contract.request import DatabaseRequest
from headway_contract.result import Failure
from headway_runner.connections.database import for_config, raw_url, rendered
from headway_runner.processes.task import Task
from headway_runner.words.run_failed import RunFailed

URL_OPTION = "sqlalchemy.url"
PYPROJECT = "pyproject.toml"


def prepare_process(task: Task) -> None:
    """Set the environment that env.py and the revisions see; call it in the process that runs them."""
    if task.request.environment:
        os.environ["ENVIRONMENT"] = task.request.environment
    if task.url is not None and task.database.export_url_as:
        os.environ[task.database.export_url_as] = exported_url(task)
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")
    refuse_doubled_revisions()


def refuse_doubled_revisions() -> None:
    """Alembic only warns of two files with one revision id, and then takes either."""
    warnings.filterwarnings("error", message=".* is present more than once", category=UserWarning)


def exported_url(task: Task) -> str:
    """The URL as the application knows it: as it was given; one made of parts gets the driver that was found."""
    given = os.environ.get(task.database.url_variable, "") if task.database.url_variable else ""
    url = raw_url(task.database) if given else task.url
    return "" if url is None else rendered(url)


def load_config(task: Task) -> Config:
    """A new Config for one pass; raises :class:`RunFailed` with ``ProjectNotFound`` or ``ProjectFailed``."""
    config = _parse(task)
    _check_there_is_a_project(config, task.database)
    names = _names_of_databases(config)
    if task.database.name in names:
        config.set_main_option("databases", task.database.name)
    elif names and task.url is not None:
        raise RunFailed(
            Failure(
                "ProjectFailed",
                f"The option 'databases' of the project lists {', '.join(names)}, "
                f"but the run is for {task.database.name!r}: the names must be the same.",
            )
        )
    if task.url is not None:
        config.set_main_option(URL_OPTION, for_config(task.url))
        if task.database.name in names:
            config.set_section_option(task.database.name, URL_OPTION, for_config(task.url))
    return config


@lru_cache(maxsize=None)
def command_line() -> CommandLine:
    """Alembic's command line; making it takes as long as a small query, so the parent makes it for all phases."""
    return CommandLine(prog="alembic")


def arguments(task: Task) -> list[str]:
    """The command line that a person would type for this pass."""
    database = task.database
    extra = [f"-x{key}={value}" for key, value in database.x]
    command = "downgrade" if task.downgrade else "upgrade"
    # No value may be taken for an option: a target of "--help" would end the pass as if all were done.
    return [f"--config={database.config}", f"--name={database.section}", *extra, command, "--", task.target]


def _parse(task: Task) -> Config:
    """Alembic's own parser makes ``cmd_opts``, because some env.py look into it."""
    options = command_line().parser.parse_args(arguments(task))
    return config_of(Path(task.database.config), options.name, options)


def config_of(given: Path, section: str, options: Namespace | None = None) -> Config:
    """The Config of a file: an ini, a pyproject.toml, or both where they stand side by side."""
    is_pyproject = given.name == PYPROJECT
    ini = given.with_name("alembic.ini") if is_pyproject else given
    toml = given if is_pyproject else given.with_name(PYPROJECT)
    if "toml_file" in inspect.signature(Config).parameters:
        return Config(str(ini), toml_file=str(toml), ini_section=section, cmd_opts=options)
    return Config(str(ini), ini_section=section, cmd_opts=options)


def _check_there_is_a_project(config: Config, database: DatabaseRequest) -> None:
    if config.file_config.has_section(database.section) or getattr(config, "toml_alembic_config", None):
        return
    where = Path(database.config).absolute()
    parser = config.file_config
    sections = [f"[{name}]" for name in parser.sections() if parser.has_option(name, "script_location")]
    has_none = f"has no section [{database.section}]; with a script_location it has: {', '.join(sections)}"
    problem = has_none if where.exists() else "does not exist"
    raise RunFailed(Failure("ProjectNotFound", f"The file {where} {problem}."))


def _names_of_databases(config: Config) -> tuple[str, ...]:
    """The names that the multidb template lists; empty for every other project."""
    if not config.file_config.has_section(config.config_ini_section):
        return ()
    listed = config.get_main_option("databases") or ""
    return tuple(name for name in re.split(r"[,\s]+", listed) if name)
