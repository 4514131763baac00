"""Which sections of an Alembic configuration are projects, and which databases one of them lists."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import TYPE_CHECKING

from headway_cli.problems import BadInput, Problem

if TYPE_CHECKING:
    from alembic.config import Config

ALEMBIC = "alembic"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
"""Of a database in a resource."""
_OF_LOGGING = ("logger", "loggers", "handler", "handlers", "formatter", "formatters")


def read_config(file: Path, section: str) -> Config:
    """Read; raises :class:`BadInput`, in which no line of the file is: it may be a URL."""
    from alembic.util.exc import CommandError

    from headway_runner.project.config import config_of

    config = config_of(file, section)
    try:
        config.file_config.sections()
        getattr(config, "toml_alembic_config", None)
    except (configparser.Error, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, CommandError) as error:
        advice = "Correct the file: 'alembic history' has to be able to read it."
        raise BadInput(Problem(str(file), "", f"cannot be read{_place(error)}", advice)) from None
    return config


def _place(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f": it is no text in {error.encoding.upper()}, the encoding of this locale"
    line = getattr(error, "lineno", None) or next((one[0] for one in getattr(error, "errors", ())), None)
    kinds = {
        "MissingSectionHeaderError": "a setting stands above the first section",
        "DuplicateSectionError": "a section is there twice",
        "DuplicateOptionError": "a setting is there twice",
    }
    at = f" (line {line})" if line else ""
    return f": {kinds.get(type(error).__name__, 'its syntax is wrong')}{at}"


def sections_of(config: Config, file: Path, wanted: str) -> tuple[str, ...]:
    """Those that have scripts: the wanted one, [alembic], or each that is a project of its own.

    Raises :class:`BadInput`.
    """
    parser = config.file_config
    in_toml = "script_location" in (getattr(config, "toml_alembic_config", None) or {})
    with_scripts = tuple(_with_scripts(parser))
    if wanted and (wanted in with_scripts or (in_toml and wanted == ALEMBIC)):
        return (wanted,)
    if wanted:
        has = f"; with one it has: {', '.join(with_scripts)}" if with_scripts else ""
        raise BadInput(
            Problem(str(file), f"[{wanted}]", f"there is no such section with a script_location{has}")
        )
    if in_toml or not with_scripts:
        if in_toml:
            return (ALEMBIC,)
        advice = "Is it another program's file? Name Alembic's with --config FILE; 'alembic init' makes one."
        raise BadInput(
            Problem(str(file), "", "no section of it has a script_location: it is no Alembic project", advice)
        )
    if ALEMBIC not in with_scripts:
        return with_scripts
    others = () if _has(parser, ALEMBIC, "databases") else tuple(_own(parser, with_scripts))
    return (ALEMBIC, *others)


def _with_scripts(parser: ConfigParser) -> Iterator[str]:
    """Those of logging have everything that [DEFAULT] has, too."""
    for name in parser.sections():
        kind = name.partition("_")[0]
        is_other = kind in _OF_LOGGING or name == "post_write_hooks"
        if not is_other and _has(parser, name, "script_location"):
            yield name


def _own(parser: ConfigParser, sections: tuple[str, ...]) -> Iterator[str]:
    """Those beside [alembic] with a script_location of their own."""
    usual = parser.defaults().get("script_location")
    for name in sections:
        if name != ALEMBIC and parser.get(name, "script_location", raw=True) != usual:
            yield name


def _has(parser: ConfigParser, section: str, option: str) -> bool:
    return parser.has_section(section) and bool(parser.get(section, option, raw=True, fallback="").strip())


def listed_databases(config: Config, file: Path, section: str) -> tuple[str, ...]:
    """The names that the template for several databases lists; raises :class:`BadInput` where one cannot be had."""
    parser = config.file_config
    text = parser.get(section, "databases", raw=True, fallback="") if parser.has_section(section) else ""
    names = tuple(dict.fromkeys(name for name in re.split(r"[,\s]+", text) if name))
    for name in names:
        if not NAME.fullmatch(name):
            what = f"{name!r} cannot be the name of a database in a resource, and both have to be the same"
            advice = "Rename it here, its section and its functions in the revisions: lower-case letters and digits."
            raise BadInput(Problem(str(file), "databases", what, advice))
    return names
