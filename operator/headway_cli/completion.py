"""Completion in shells: ``headway completion SHELL``, and what kubectl asks for ``kubectl headway``.

A shell calls the program itself with ``_ARGCOMPLETE`` set, so what it offers is what the parser knows.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from io import StringIO

SHELLS = ("bash", "zsh", "fish")
PROGRAMS = ("headway", "kubectl-headway")
ASKED = "_ARGCOMPLETE"
NAMES_SECONDS = 3.0
"""Longer nobody waits after a Tab."""
NO_FILES, FILES = ":4", ":0"
"""kubectl's words for whether a shell may offer files, as Cobra has them."""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's arguments."""
    parser = verbs.add_parser(
        "completion",
        help="write what a shell needs to complete verbs, options and names of resources",
        description="Writes a script to standard output. bash: source <(headway completion bash). zsh: the same with "
        "zsh, after compinit. fish: headway completion fish | source. For kubectl headway nothing is needed but "
        "kubectl's own completion.",
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(start=start)


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Write the script."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(PROGRAMS, shell=options.shell))
    return 0


def answer_if_asked(parser: argparse.ArgumentParser) -> None:
    """Ends the process where a shell asks what may come next."""
    if ASKED in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)


def resource_names(prefix: str, parsed_args: argparse.Namespace, **_: object) -> Sequence[str]:
    """Of the cluster and namespace that the line says; none where these cannot be asked: nobody would read why."""
    import asyncio

    from headway_cli.problems import BadInput

    where = argparse.Namespace(
        **{name: getattr(parsed_args, name, "") or "" for name in ("namespace", "context", "kubeconfig")}
    )
    try:
        return asyncio.run(asyncio.wait_for(_names(where), NAMES_SECONDS))
    except (BadInput, TimeoutError):
        return ()


def paces(prefix: str, **_: object) -> Sequence[str]:
    """Those that ``headway pace`` takes."""
    from headway_operator.api.migration import PACES

    return PACES


async def _names(where: argparse.Namespace) -> Sequence[str]:
    from headway_cli.seen.reach import reading
    from headway_operator.api.migration import GROUP, PLURAL, VERSION

    async with reading(where, "") as (api, namespace):
        found = await api.json("GET", f"apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}")
    return [one["metadata"]["name"] for one in found["items"]]


def complete_for_kubectl() -> int:
    """``kubectl_complete-headway``: kubectl calls it with the words so far, the last of which is being typed.

    It prints a line for each, with its meaning behind a tab; the last line says whether files may be offered.
    """
    import argcomplete
    from argcomplete.completers import SuppressCompleter

    from headway_cli.__main__ import parser_of

    answer = StringIO()
    os.environ.update(_question(sys.argv[1:]))
    argcomplete.autocomplete(
        parser_of("kubectl headway"),
        always_complete_options=False,
        exit_method=lambda code: None,
        output_stream=answer,
        default_completer=SuppressCompleter(),
    )
    lines = [line.rstrip() for line in answer.getvalue().splitlines() if line]
    print("\n".join([*lines, NO_FILES if lines else FILES]))
    return 0


def _question(words: Sequence[str]) -> Mapping[str, str]:
    """As a shell would ask it: words as fish has them need no quotes."""
    *done, typed = words or ("",)
    line = f"{shlex.join((PROGRAMS[1], *done))} {typed}"
    return {
        ASKED: "1",
        "_ARGCOMPLETE_SHELL": "fish",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_DFS": "\t",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
