"""Completion in shells: ``headway completion SHELL``.

A shell calls the program itself with ``_ARGCOMPLETE`` set, so what it offers is what the parser knows.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

SHELLS = ("bash", "zsh", "fish")
PROGRAMS = ("headway", "kubectl-headway")
ASKED = "_ARGCOMPLETE"


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
