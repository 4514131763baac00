"""Looking at a cluster: ``headway status``, ``list``, ``wait``, ``logs``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from headway_cli import where


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """All of them, with the arguments that they have in common."""
    status = _parser(verbs, "status", "show a run: its databases, how far they are, and what to type next")
    where.add_name(status, may_be_left_out="left out: all of the namespace, as list shows them")
    status.add_argument("-A", "--all-namespaces", action="store_true", help="all of all namespaces")
    status.add_argument(
        "-w", "--watch", action="store_true", help="again with each change, until the run is over"
    )
    _add_output(status)
    listing = _parser(verbs, "list", "show all resources of a namespace")
    listing.add_argument("-A", "--all-namespaces", action="store_true", help="all of all namespaces")
    _add_output(listing)
    wait = _parser(
        verbs,
        "wait",
        "wait until a resource is ready (exit code 0), failed (1), timed out (2), needs approval (3)",
    )
    where.add_name(wait)
    wait.add_argument(
        "--for",
        dest="kind",
        choices=("Ready", "Succeeded"),
        default="Ready",
        help="Ready: the application may roll out; Succeeded: what follows it is done, too (default: Ready)",
    )
    wait.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="(default: 600)")
    logs = _parser(verbs, "logs", "show what the newest Job printed")
    where.add_name(logs)
    logs.add_argument("database", metavar="DATABASE", nargs="?", default="", help="its newest Job")
    logs.add_argument("-f", "--follow", action="store_true", help="until it ends")
    logs.add_argument("--events", action="store_true", help="the runner's own lines, too")


def _parser(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], verb: str, text: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(verb, help=text, description=f"{text[0].upper()}{text[1:]}.")
    where.add_arguments(parser)
    parser.set_defaults(start=start, verb=verb)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        choices=("text", "wide", "json", "yaml"),
        default="text",
        help="wide: with the message of each; json, yaml: the resources themselves (default: text)",
    )


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Look; raises :class:`BadInput`."""
    import asyncio  # it takes a tenth of a second, and --help comes without it

    from headway_cli.seen.logs import logs
    from headway_cli.seen.show import show_list, show_status
    from headway_cli.seen.wait import wait

    looks = {"status": show_status, "list": show_list, "wait": wait, "logs": logs}
    return asyncio.run(looks[options.verb](options))
