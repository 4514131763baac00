"""``headway lint``: looks at an application's revisions for what would hold it up, in CI or before a commit."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from headway_cli.problems import BadInput, Problem

if TYPE_CHECKING:
    from headway_operator.lint.findings import Finding

LEVELS = ("error", "warning", "notice")
FOUND, CLEAN = 1, 0


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's arguments."""
    parser = verbs.add_parser(
        "lint",
        help="find what in the revisions of a project would hold up a running application",
        description="Looks at the revisions of an Alembic project. Nothing is run against a database; run it where "
        "the project's packages are installed. Exit code 1: there are findings at or over the level.",
    )
    parser.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="the project's folder, or its configuration file"
    )
    parser.add_argument(
        "-c", "--config", default="", metavar="FILE", help="default: alembic.ini, else pyproject.toml"
    )
    parser.add_argument(
        "-n",
        "--name",
        default="",
        metavar="SECTION",
        help="default: alembic, or where there is none all sections that have a script_location",
    )
    parser.add_argument(
        "--since", default="", metavar="REVISION", help="only what comes after this revision (default: all)"
    )
    parser.add_argument(
        "--url",
        default="",
        metavar="URL",
        help="a database whose catalog tells how large the tables are, and whose version table what is pending; "
        "env:NAME takes the URL from that environment variable",
    )
    parser.add_argument(
        "--dialect",
        default="postgresql",
        help="of the database, when no --url tells it (default: postgresql)",
    )
    parser.add_argument(
        "--level",
        choices=LEVELS,
        default="error",
        help="findings from this level on make the exit code 1 (default: error)",
    )
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="RULE",
        help="a rule that is not asked; may be repeated",
    )
    parser.add_argument("-o", "--output", choices=("text", "json", "sarif", "github"), default="text")
    parser.add_argument("--rules", action="store_true", help="list the rules, and end")
    parser.set_defaults(start=start)


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Look, write what was found, and say by the exit code whether it is as bad as the level."""
    from headway_cli.lint_reports import REPORTS, Report, rule_lines
    from headway_operator.lint.findings import Severity

    if options.rules:
        print("\n".join(rule_lines()))
        return CLEAN
    level = Severity(options.level.capitalize())
    found, revisions = look(options)
    folder = _folder(options)
    report = Report(tuple(_from_here(one, folder) for one in found), revisions, level)
    sys.stdout.write(REPORTS[options.output](report))
    return FOUND if any(one.severity.is_at_least(level) for one in found) else CLEAN


def look(options: argparse.Namespace) -> tuple[tuple[Finding, ...], int]:
    """The findings, with files as seen from the project's folder, and how many revisions there are."""
    from headway_cli.lint_project import facts_of_project
    from headway_cli.project_files import configuration, projects_in
    from headway_operator.lint.lint import Settings, findings
    from headway_operator.lint.ordered import NAMES

    for name in options.ignore:
        if name not in NAMES:
            raise BadInput(
                Problem("--ignore", "", f"there is no rule {name!r}", "headway lint --rules lists them.")
            )
    file = configuration(Path(options.path), options.config).resolve()
    url, settings = _url(options.url), Settings(tuple(options.ignore))
    with chdir(_folder(options)):
        sections = projects_in(file, options.name)
        _check_they_can(sections, file, options)
        facts = [facts_of_project(file, section, options.since, url, options.dialect) for section in sections]
    found = dict.fromkeys(one for database in facts for one in findings(database, settings))
    revisions = {(one.file, one.revision) for database in facts for one in database.revisions}
    return tuple(found), len(revisions)


def _check_they_can(sections: Sequence[str], file: Path, options: argparse.Namespace) -> None:
    """A revision and a database belong to one history."""
    given = next((word for word in ("since", "url") if getattr(options, word)), "")
    if given and len(sections) > 1:
        what = f"it has a history for each of {', '.join(sections)}, and --{given} is about one"
        raise BadInput(
            Problem(str(file), "", what, f"Name it: headway lint --name {sections[0]} --{given} …")
        )


def _folder(options: argparse.Namespace) -> Path:
    path = Path(options.path)
    return path if path.is_dir() else path.parent


def _url(given: str) -> str:
    name = given.removeprefix("env:")
    if name == given:
        return given
    if not os.environ.get(name):
        raise BadInput(Problem("--url", "", f"the environment variable {name} is not set, or empty"))
    return os.environ[name]


def _from_here(finding: Finding, folder: Path) -> Finding:
    """With the file as seen from where the command runs: CI looks for it there."""
    if not finding.file:
        return finding
    return replace(finding, file=os.path.relpath(folder / finding.file).replace(os.sep, "/"))
