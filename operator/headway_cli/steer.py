"""Commands to a resource of a cluster: ``headway pause``, ``resume``, ``abort``, ``retry``, ``pace``, ``approve``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from headway_cli import where
from headway_cli.completers import paces
from headway_cli.problems import BadInput, Problem

if TYPE_CHECKING:
    from headway_cli.commands import Command
    from headway_cli.remote import Remote
    from headway_operator.api.migration import Migration

EXIT_DONE = 0
EXIT_NO_ANSWER = 1
EXIT_NOT_AGREED = 3
_VERBS = {
    "pause": "start nothing, and hold what runs between batches and between revisions",
    "resume": "go on after a pause",
    "abort": "end the run at its next safe point; what was applied stays",
    "retry": "start a new run of the same specification",
    "pace": "let backfills go faster or slower from now on",
    "approve": "let the plan be carried out that waits for an approval",
}


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """All of them, with the arguments that they have in common."""
    parsers = {verb: _parser(verbs, verb) for verb in _VERBS}
    pace = parsers["pace"].add_argument(
        "pace",
        metavar="PACE",
        nargs="?",
        default="",
        type=_pace,
        help="Gentle, Balanced or Fast; left out: as spec.backfill.pace says",
    )
    setattr(pace, "completer", paces)  # noqa: B010 - argcomplete looks for it there
    parsers["approve"].add_argument(
        "digest",
        metavar="DIGEST",
        nargs="?",
        default="",
        help="of the plan that is meant, or its first 12 digits or more; left out: the plan is shown and asked for",
    )
    parsers["approve"].add_argument("-y", "--yes", action="store_true", help="do not ask")


def _parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser], verb: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(verb, help=_VERBS[verb], description=f"{_VERBS[verb].capitalize()}.")
    where.add_name(parser)
    where.add_arguments(parser)
    parser.add_argument(
        "--no-wait", action="store_true", help="write the command, and do not wait for the operator's answer"
    )
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="SECONDS", help="to wait for the answer (default: 30)"
    )
    parser.set_defaults(start=start, verb=verb)
    return parser


def _pace(text: str) -> str:
    from headway_operator.api.migration import PACES

    word = text.capitalize()
    if word not in PACES:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(PACES)}")
    return word


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Give the command; raises :class:`BadInput` where nothing was written."""
    import asyncio  # it takes a tenth of a second, and --help comes without it

    return asyncio.run(_start(options))


async def _start(options: argparse.Namespace) -> int:
    from headway_cli.commands import Refused
    from headway_cli.remote import NoAnswer, Remote, Unsure
    from headway_operator.cluster.access import NoAccess
    from headway_operator.cluster.api_server import ApiServer
    from headway_operator.cluster.interface import ClusterError

    try:
        access, namespace = where.access_of(options)
    except NoAccess as error:
        raise BadInput(Problem("kubeconfig", "", str(error))) from None
    resource = f"{options.namespace or namespace}/{options.name}"
    api = ApiServer(access.session())
    try:
        return await _give(Remote(api, options.namespace or namespace, options.name), options)
    except Refused as refused:
        raise BadInput(Problem(resource, "", str(refused))) from None
    except ClusterError as error:
        raise BadInput(Problem(resource, "", *_explained(error, options, resource))) from None
    except Unsure as error:
        print(
            f"error: {resource}: nobody knows whether the command was written: {error}\n"
            f"  Look with: headway status {options.name}. To give it again does no harm.",
            file=sys.stderr,
        )
        return EXIT_NO_ANSWER
    except NoAnswer as error:
        print(
            f"error: {resource}: the command is written, but {_unanswered(str(error), options.timeout)}",
            file=sys.stderr,
        )
        return EXIT_NO_ANSWER
    finally:
        await api.close()


async def _give(remote: Remote, options: argparse.Namespace) -> int:
    migration = await remote.read()
    if migration.deleting:
        raise BadInput(Problem(options.name, "", "it is being deleted, and takes no commands any more"))
    command = await _command(options, migration, remote)
    if not _is_agreed(command, options):
        print(f"Nothing was approved{_why_not(options.name)}.", file=sys.stderr)
        return EXIT_NOT_AGREED
    await remote.annotate(command.annotations)
    if options.no_wait:
        print(f"{options.name}: written; the operator has not answered yet")
        return EXIT_DONE
    answered = await remote.answer(command, options.timeout)
    for line in answer_to(command, answered):
        print(line)
    return EXIT_DONE


def answer_to(command: Command, answered: Migration) -> Iterator[str]:
    """What was asked and what comes of it; how it stands; what a person does next."""
    from headway_cli.seen.next_step import next_step

    yield f"{answered.name}: {command.told(answered)}"
    ready, step = answered.status.condition("Ready"), next_step(answered)
    if ready is not None:
        yield f"  {answered.status.phase}: {ready.message}"
    if step:
        yield f"  Next: {step}"


async def _command(options: argparse.Namespace, migration: Migration, remote: Remote) -> Command:
    from headway_cli import commands
    from headway_operator.controller.clock import utc_now

    if options.verb == "approve":
        return commands.approve(migration, options.digest, await remote.who())
    if options.verb == "pace":
        return commands.pace(migration, options.pace)
    token = utc_now().isoformat()
    give = {"pause": commands.pause, "resume": commands.resume, "abort": commands.abort}
    return give.get(options.verb, commands.retry)(migration, token)


def _is_agreed(command: Command, options: argparse.Namespace) -> bool:
    """Whoever names the digest has seen the plan; who says --yes wants no question."""
    from headway_cli.approving import agrees

    for line in command.shown:
        print(line)
    if not command.shown or options.yes or options.digest:
        return True
    return agrees("Approve this plan?")


def _unanswered(trouble: str, seconds: float) -> str:
    if trouble:
        return (
            f"its answer could not be read: {trouble}\n  It is obeyed all the same: headway status shows it."
        )
    return (
        f"no operator has answered it within {seconds:g} s\n  It is obeyed as soon as one runs. Is it running, and "
        "does it watch this namespace? kubectl get pods -A -l app.kubernetes.io/name=headway"
    )


def _why_not(name: str) -> str:
    from headway_cli.approving import can_ask

    if can_ask():
        return ""
    return f": nobody can be asked, for this is no terminal. Name the digest behind {name}, or say --yes"


def _explained(error: Exception, options: argparse.Namespace, resource: str) -> tuple[str, str]:
    """What happened, and what to do."""
    from headway_operator.cluster.interface import Forbidden, NotFound

    if isinstance(error, NotFound):
        there = "kubectl get dbmig -A lists all that there are"
        return (
            "there is no such DatabaseMigration, or no such kind in this cluster",
            f"{there}; -n names a namespace",
        )
    if isinstance(error, Forbidden):
        namespace = resource.partition("/")[0]
        return (
            f"you may not: {error}",
            f"kubectl auth can-i patch databasemigrations -n {namespace}; an approval may need the verb approve, too",
        )
    return str(error), ""
