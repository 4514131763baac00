"""``headway gate``: the gate of the runner where this distribution is installed: in CI, in an application's image."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from headway_runner.gate_arguments import add_arguments


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's arguments."""
    parser = verbs.add_parser(
        "gate",
        help="wait until a database has the revisions that the code here needs; nothing is changed",
        description="Asks the database, and nobody else, until it has the revisions of the Alembic project in this "
        "folder; those with post_deploy = True at the end of the history are not waited for. Exit codes: 0 open, 1 "
        "after --timeout, else the runner's code of what waiting does not mend.",
    )
    add_arguments(parser)
    parser.set_defaults(start=start)


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Wait."""
    from headway_runner import gate

    return gate.start(options)
