"""``headway plan``: what would be done to each database, from a project here or of a resource in a cluster."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway_cli import here, where
from headway_cli.problems import BadInput, Problem

if TYPE_CHECKING:
    from headway_cli.plans.result import Told
    from headway_cli.plans.view import ShownPlan
    from headway_operator.api.migration import Migration

OUTPUTS = ("text", "json", "sql")
EXIT_PLANNED = 0
EXIT_FAILED = 1
BASE = "base"


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's arguments."""
    parser = verbs.add_parser(
        "plan",
        help="show what would be done to each database; nothing is changed",
        description="Shows the revisions that each database lacks, in order, their statements, the locks that these "
        "take and what the review finds. Of files it makes the plan here, as headway run would; of a name it shows "
        "the plan of that resource in the cluster.",
    )
    here.add_files(
        parser,
        "FILE|NAME",
        "YAML files or folders with one DatabaseMigration and the Secrets that it names, or - for standard "
        "input; or the name of a resource in the cluster",
    )
    parser.add_argument(
        "-o",
        "--output",
        choices=OUTPUTS,
        default="text",
        help="for people, as JSON, or as SQL (default: text)",
    )
    local = parser.add_argument_group("of files")
    here.add_arguments(local)
    local.add_argument(
        "--offline",
        action="store_true",
        help="connect to no database: the plan of empty ones, or from the revision of --from",
    )
    local.add_argument(
        "--from",
        dest="starts_from",
        metavar="REVISION",
        default="",
        help="the same for databases at this revision",
    )
    remote = parser.add_argument_group("of a name")
    where.add_arguments(remote)
    parser.set_defaults(start=start)


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Show what was asked for; raises :class:`BadInput`."""
    from headway_cli.plans.result import tell_problem

    if options.files or _are_files(options.sources, _says_where(options, command)):
        plan, told = _of_files(options)
    else:
        plan, told = _of_name(options)
    if plan is not None:
        _WRITERS[options.output](plan)
    tell_problem(told)
    failed = bool(told.problem) or plan is None or any(one.failure for one in plan.databases)
    return EXIT_FAILED if failed else EXIT_PLANNED


def _are_files(sources: Sequence[str], says_where: str) -> bool:
    """One word may be a name; what it was taken as is told where it may be both."""
    from headway_cli.plans.meant import Word, meant

    if len(sources) == 1:
        taken = meant(Word(sources[0], Path(sources[0]).exists()), says_where)
        if taken.note:
            print(f"note: {taken.note}", file=sys.stderr)
        return taken.is_file
    missing = [source for source in sources if not meant(Word(source, Path(source).exists()), "").is_file]
    if missing:
        what = f"there is no file {', '.join(missing)}"
        raise BadInput(Problem("plan", "", what, "Name files and folders, or one resource in the cluster."))
    return True


def _says_where(options: argparse.Namespace, command: Sequence[str]) -> str:
    """What of the command line is only of use for a cluster."""
    flags = {
        "namespace": "-n",
        "context": "--context",
        "kubeconfig": "--kubeconfig",
        "as_user": "--as",
        "as_groups": "--as-group",
    }
    given = next((flag for name, flag in flags.items() if getattr(options, name)), "")
    if given:
        return given
    return "kubectl" if command[0] == "kubectl" else ""


def _of_files(options: argparse.Namespace) -> tuple[ShownPlan | None, Told]:
    from headway_cli.documents import read_documents
    from headway_cli.intake import take_in
    from headway_cli.plans.local import local_plan, shown_at_home
    from headway_cli.plans.view import shown
    from headway_cli.secrecy import mask_for
    from headway_contract.texts import with_texts
    from headway_operator.api.identity import digest_to_approve
    from headway_operator.api.migration import parse

    intake = take_in(read_documents(here.files_of(options)), here.options_of(options))
    starts_from = options.starts_from or (BASE if options.offline else "")
    told = with_texts(local_plan(intake, starts_from), mask_for(intake.sources, os.environ))
    if told.plan is None:
        return None, told
    migration = parse(intake.resource)
    assert migration.spec is not None
    digest = "" if starts_from else digest_to_approve(migration.spec, told.plan.digest)
    plan = shown(migration.name, told.plan, _review(migration), digest, not starts_from)
    return shown_at_home(plan), told


def _of_name(options: argparse.Namespace) -> tuple[ShownPlan | None, Told]:
    from headway_cli.plans.remote import remote_plan

    given = [
        flag
        for flag, value in (
            ("--url", options.urls),
            ("--offline", options.offline),
            ("--from", options.starts_from),
        )
        if value
    ]
    if given:
        what = f"{given[0]} is for files; {options.sources[0]} is the name of a resource in the cluster"
        raise BadInput(Problem("plan", "", what, f"Write ./{options.sources[0]} if it is a file."))
    return remote_plan(options.sources[0], options, _review)


def _review(migration: Migration) -> Callable[[Any], Any]:
    """The review as the resource wishes it; without a wish that can be read, with all rules."""
    from headway_operator.lint.lint import Settings, findings

    ignore = () if migration.spec is None else migration.spec.lint.ignore
    return lambda facts: findings(facts, Settings(ignore))


def _write_text(plan: ShownPlan) -> None:
    from headway_cli.console import Console
    from headway_cli.plans.text import lines

    console = Console()
    for line in lines(plan, console.width if console.is_terminal else 120):
        console.print(line, soft_wrap=True)


def _write_json(plan: ShownPlan) -> None:
    from headway_contract.codec import encode

    print(json.dumps(encode(plan), indent=2, ensure_ascii=False))


def _write_sql(plan: ShownPlan) -> None:
    from headway_cli.plans.script import script

    _print(script(plan))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


_WRITERS: dict[str, Callable[[Any], None]] = {"text": _write_text, "json": _write_json, "sql": _write_sql}
