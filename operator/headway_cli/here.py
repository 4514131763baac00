"""The arguments that say what is worked on here, and what stands for the resource's cluster: URLs, project,
interpreter, environment.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from headway_cli.problems import BadInput, Problem

if TYPE_CHECKING:
    from headway_cli.intake import Options


def add_files(parser: argparse.ArgumentParser, metavar: str, meaning: str) -> None:
    """The files, as words or each after ``-f``: the same for every verb, so that nobody need remember which."""
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("sources", metavar=metavar, nargs="*", default=[], help=meaning)
    either.add_argument(
        "-f",
        dest="files",
        metavar="FILE",
        action="append",
        default=[],
        help="the same for files; may be given several times",
    )


def files_of(options: argparse.Namespace) -> Sequence[str]:
    """Those that were named in either way."""
    named: Sequence[str] = options.files or options.sources
    return named


def add_arguments(parser: argparse._ActionsContainer) -> None:
    """The same for every verb that works on files."""
    parser.add_argument(
        "--url",
        dest="urls",
        metavar="DATABASE=URL",
        action="append",
        default=[],
        help="where a database is, instead of what the resource says: main=env:MAIN_URL takes the URL from "
        "that environment variable, main=postgresql://… shows it to all who see this machine's processes; "
        "may be given several times",
    )
    parser.add_argument(
        "--project",
        metavar="DIR",
        default="",
        help="the folder that is spec.alembic.workingDir in the image (default: the one of the first file "
        "beside which the Alembic configuration is, else this folder)",
    )
    parser.add_argument(
        "--python",
        metavar="PROGRAM",
        default="",
        help="the interpreter that has the project's packages (default: the one that runs this command)",
    )
    parser.add_argument("--environment", metavar="NAME", default="", help="instead of spec.environment")


def options_of(options: argparse.Namespace) -> Options:
    """What they say; raises :class:`BadInput`."""
    from headway_cli.intake import Options

    return Options(
        urls=parse_urls(options.urls, os.environ),
        project=options.project,
        python=options.python,
        environment=options.environment,
    )


def parse_urls(texts: Sequence[str], environment: Mapping[str, str]) -> Mapping[str, str]:
    """``main=postgresql://…`` or ``main=env:NAME``, by database; raises :class:`BadInput` without any URL in it."""
    urls: dict[str, str] = {}
    for text in texts:
        name, separator, url = text.partition("=")
        if url.startswith("env:"):
            url = _from_environment(url.removeprefix("env:"), environment)
        if not separator or "://" in name or "://" not in url:
            raise BadInput(
                Problem(
                    "--url",
                    "",
                    "its value is not of the form DATABASE=URL",
                    "Write --url main=env:MAIN_URL, or --url main=postgresql://HOST/NAME.",
                )
            )
        if name in urls:
            raise BadInput(
                Problem("--url", "", f"the database {name} is there twice", "Give one URL for each.")
            )
        urls[name] = url
    return urls


def _from_environment(variable: str, environment: Mapping[str, str]) -> str:
    url = environment.get(variable, "")
    if "://" not in url:
        what = f"the environment variable {variable} holds no URL"
        raise BadInput(Problem("--url", "", what, f"export {variable}=postgresql://…"))
    return url
