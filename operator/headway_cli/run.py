"""``headway run``: takes the databases of one resource to their targets, without a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from headway_cli import here

OUTPUTS = ("auto", "live", "plain", "json")


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's arguments."""
    parser = verbs.add_parser(
        "run",
        help="take databases to their targets, without a cluster",
        description="Does here what the operator does in a cluster: the same plan, the same order, the same "
        "retries; each Job is a process of this machine, and the project's folder stands in for the image.",
    )
    here.add_files(
        parser,
        "FILE",
        "YAML with one DatabaseMigration and the Secrets that it names; a folder, or - for standard input",
    )
    here.add_arguments(parser)
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
    from headway_cli.launch import launch

    wishes = replace(here.options_of(options), approve=options.approve, before_deploy=options.before_deploy)
    return launch(read_documents(here.files_of(options)), wishes, options.output, command).exit_code
