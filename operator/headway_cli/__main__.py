"""The command line ``headway``, also ``kubectl headway``: one module for each verb, loaded when it is asked for.

Rule: nothing heavy is imported here, so that ``--help`` and ``--version`` answer at once.
"""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from headway_cli import check, completion, demo, gate, hooks, init, lint, look, plan, run, steer
from headway_cli.plainly import speak_plainly
from headway_cli.problems import BadInput, Defect
from headway_cli.secrecy import mask_of_words
from headway_cli.unread import until_unread

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
_MISSING_EXTRAS = (
    "Install what this verb needs: pip install 'headway[cli,operator]', and [demo] for the demo."
)
_EPILOG = """exit codes:
  0    every database is where it should be
  1    a database, or the plan, failed; lint has findings
  2    the input is wrong; nothing was touched
  3    the plan needs an approval; nothing was changed
  130  stopped by Ctrl-C, SIGTERM or SIGHUP after the revision that was running; the same command goes on from
       there. A second Ctrl-C cancels the running statement; if part of its revision stays, the code is 1.
  141  whoever read the output ended before it, as in `headway list | head -1`
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    speak_plainly()
    return until_unread(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    program = _program(sys.argv[0])
    parser = parser_of(program)
    completion.answer_if_asked(parser)
    options = parser.parse_args(words)
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: what was started ends in order
        signal.signal(number, signal.default_int_handler)
    try:
        code: int = options.start(options, [*program.split(), *words])
    except BadInput as error:
        for problem in error.problems:
            print(mask_of_words(words)(f"error: {problem}"), file=sys.stderr)
        return EXIT_BAD_INPUT
    except ModuleNotFoundError as error:
        if (error.name or "headway").startswith("headway"):
            raise
        print(f"error: {program}: there is no module {error.name} here\n  {_MISSING_EXTRAS}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - Python's own traceback would show what must not be shown
        trace = str(error) if isinstance(error, Defect) else mask_of_words(words)(traceback.format_exc())
        print(f"{trace}\nerror: this is a defect of Headway; please report it", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return code


def _program(path: str) -> str:
    return "kubectl headway" if Path(path).name == "kubectl-headway" else "headway"


class _Parser(argparse.ArgumentParser):
    """Repeats no password in what it says of a command line that it does not understand."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        super().error(mask_of_words(sys.argv)(message))


@cache
def parser_of(program: str) -> argparse.ArgumentParser:
    """All verbs with their arguments."""
    parser = _Parser(
        prog=program,
        description="Takes SQLAlchemy/Alembic databases to head.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"headway {version('headway')}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in (init, run, plan, lint, check, gate, demo, look, steer, hooks, completion):
        verb.add_parser(verbs)
    return parser


if __name__ == "__main__":
    sys.exit(main())
