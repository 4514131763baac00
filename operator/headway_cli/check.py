"""``headway check``: what differs between each database and the models of a project here."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from headway_cli import here
from headway_cli.problems import BadInput, Problem

if TYPE_CHECKING:
    from headway_cli.intake import Intake
    from headway_cli.plans.result import Told
    from headway_contract.drift import DatabaseDrift, Drift

OUTPUTS = ("text", "json")
EXIT_COMPARED = 0
EXIT_FAILED = 1


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's arguments."""
    parser = verbs.add_parser(
        "check",
        help="show what differs between each database and the models; nothing is changed",
        description="Compares each database with the models that env.py gives as target_metadata, as 'alembic check' "
        "does, through the env.py of the project. A database that is not at its target is not compared. What it "
        "finds is information: the exit code is 0 unless a database could not be looked at, or --exit-code asks "
        "for more.",
    )
    here.add_files(parser, "FILE", "YAML with one DatabaseMigration and its Secrets, as for run")
    here.add_arguments(parser)
    parser.add_argument(
        "--ignore",
        metavar="PATTERN",
        action="append",
        default=[],
        help="leave out differences of what has such a name, or KIND:NAME with Alembic's word for the kind: "
        "'legacy_*', 'remove_index:*'; may be given several times",
    )
    parser.add_argument("--exit-code", action="store_true", help="end with 1 when there are differences")
    parser.add_argument("-o", "--output", choices=OUTPUTS, default="text", help="(default: text)")
    parser.set_defaults(start=start)


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Compare and show; raises :class:`BadInput`."""
    from headway_cli.documents import read_documents
    from headway_cli.intake import take_in
    from headway_cli.launch import check_sources
    from headway_cli.plans.result import tell_problem
    from headway_contract.codec import encode
    from headway_contract.drift import without_ignored

    intake = take_in(read_documents(here.files_of(options)), here.options_of(options))
    _check_it_can(intake)
    check_sources(intake)
    drift, told = _compare(intake)
    tell_problem(told)
    if drift is None:
        return EXIT_FAILED
    left = tuple(without_ignored(one, options.ignore) for one in drift.databases)
    drift = replace(drift, databases=left)
    if options.output == "json":
        print(json.dumps(encode(drift), indent=2, ensure_ascii=False))
    else:
        name = intake.resource["metadata"]["name"]
        print("\n".join(line for database in drift.databases for line in lines(database, name)))
    failed = any(one.failure for one in drift.databases)
    differs = options.exit_code and any(one.differences for one in drift.databases)
    return EXIT_FAILED if failed or differs else EXIT_COMPARED


def _check_it_can(intake: Intake) -> None:
    if intake.resource["spec"].get("command"):
        what = "is the application's own command, which has no models to compare with"
        advice = "Use the check of the application, such as 'flask db check' or 'alembic check'."
        raise BadInput(Problem(intake.where, "spec.command", what, advice))


def _compare(intake: Intake) -> tuple[Drift | None, Told]:
    """What was found, None when the runner could not tell; nothing in either shows a Secret."""
    from headway_cli.plans.local import run_alone, told_at_home, with_request
    from headway_cli.plans.result import Told, tail, why_it_failed
    from headway_cli.secrecy import mask_for
    from headway_contract.drift import Drift
    from headway_contract.request import Mode
    from headway_contract.texts import with_texts
    from headway_contract.wire import join_document

    result, log = run_alone(
        intake, lambda job: with_request(job, lambda request: replace(request, mode=Mode.CHECK))
    )
    lines_of_log = log.splitlines()
    document = join_document(result.plan_sha256, lines_of_log) if result and result.plan_sha256 else None
    drift = Drift.from_json(document) if document else None
    mask, name = mask_for(intake.sources, os.environ), intake.resource["metadata"]["name"]
    failed = drift is None or any(one.failure for one in drift.databases)
    why = ""
    if drift is None:
        failure = result.failure if result is not None else None
        why = why_it_failed(failure, name) if failure else "The check's process ended without a result."
    told = told_at_home(Told(problem=why, log=tail(lines_of_log) if failed else ()), name)
    return (None if drift is None else with_texts(drift, mask)), with_texts(told, mask)


def lines(database: DatabaseDrift, migration_name: str) -> Iterator[str]:
    """What is told of one database."""
    from headway_cli.at_home import at_home
    from headway_cli.plans.result import why_it_failed

    name, count = database.name, len(database.differences)
    if database.failure is not None:
        yield f"{name}: {at_home(why_it_failed(database.failure, migration_name), migration_name)}"
        return
    if database.not_compared:
        yield f"{name}: not compared. {database.not_compared}"
    if count or not database.not_compared:
        found = f"{count} difference{'' if count == 1 else 's'}" if count else "no difference"
        yield f"{name}: {found} between the database and the models"
    yield from (f"  {one.sentence}" for one in database.differences)
