"""``headway run``: takes the databases of one resource to their targets, without a cluster."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence

from headway_cli.problems import BadInput, Problem

OUTPUTS = ("auto", "live", "plain", "json")


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's arguments."""
    parser = verbs.add_parser(
        "run",
        help="take databases to their targets, without a cluster",
        description="Does here what the operator does in a cluster: the same plan, the same order, the same "
        "retries; each Job is a process of this machine, and the project's folder stands in for the image.",
    )
    parser.add_argument(
        "-f",
        dest="files",
        metavar="FILE",
        action="append",
        required=True,
        help="YAML with one DatabaseMigration and the Secrets that it names; a folder, or - for standard "
        "input; may be given several times",
    )
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
    parser.add_argument(
        "--approve",
        metavar="DIGEST",
        default="",
        help="where spec.plan.approval is Required: carry the plan out if it has this digest, or one that begins "
        "with these 12 digits or more (default: ask, on a terminal; else show the plan and end with exit code 3)",
    )
    parser.add_argument(
        "--before-deploy",
        action="store_true",
        help="only what must precede the application: revisions with post_deploy = True at the end of a history "
        "are left; the same command without this runs them once the application is rolled out",
    )
    add_output(parser)
    parser.set_defaults(start=start)


def add_output(parser: argparse.ArgumentParser) -> None:
    """``--output``, the same for every verb that runs something."""
    parser.add_argument(
        "--output",
        choices=OUTPUTS,
        default="auto",
        help="a live table, plain lines or JSON lines (default: live on a terminal, else plain)",
    )


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Run what was asked for; raises :class:`BadInput`."""
    from headway_cli.documents import read_documents
    from headway_cli.intake import Options
    from headway_cli.launch import launch

    wishes = Options(
        urls=parse_urls(options.urls, os.environ),
        project=options.project,
        python=options.python,
        environment=options.environment,
        approve=options.approve,
        before_deploy=options.before_deploy,
    )
    return launch(read_documents(options.files), wishes, options.output, command).exit_code


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
