"""``kubectl_complete-headway``: what kubectl calls for a Tab behind ``kubectl headway``."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from io import StringIO

import argcomplete
from argcomplete.completers import SuppressCompleter

from headway_cli.__main__ import parser_of
from headway_cli.completion import ASKED, PROGRAMS

NO_FILES, FILES = ":4", ":0"
"""kubectl's words for whether a shell may offer files, as Cobra has them."""


def main() -> int:
    """kubectl gives the words so far, the last of which is being typed.

    It prints a line for each, with its meaning behind a tab; the last line says whether files may be offered.
    """
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
