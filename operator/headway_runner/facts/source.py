"""What a revision's file says by itself, without being run."""

import os
import tokenize
from itertools import islice

from headway_contract.facts import Call, Ignore
from headway_contract.records import dataclass
from headway_runner.facts import python
from headway_runner.facts.bounds import CALLS, IGNORES
from headway_runner.facts.calls import calls_of
from headway_runner.facts.ignores import ignores_of

MARK = "post_deploy"


@dataclass(frozen=True)
class FileFacts:
    """Of one file; without calls where there is no source to read."""

    path: str = ""
    post_deploy: bool = False
    has_downgrade: bool = True
    refuses_downgrade: bool = False
    calls: tuple[Call, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    is_cut: bool = False
    """There are more calls than are told."""


def file_facts(path: str, function: str) -> FileFacts:
    """Read a file and what ``function`` of it calls; a file that cannot be read has no facts but its path."""
    shown = shown_path(path)
    try:
        with tokenize.open(path) as file:
            text = file.read()
        source = python.read(text)
    except (OSError, SyntaxError, ValueError, RecursionError):
        # Alembic may run what is not there as source: a compiled file.
        return FileFacts(shown)
    calls = tuple(islice(calls_of(source, function), CALLS + 1))
    downgrade = source.functions.get("downgrade")
    return FileFacts(
        path=shown,
        post_deploy=source.constant(MARK) is True,
        has_downgrade=not python.does_nothing(downgrade),
        refuses_downgrade=python.refuses(downgrade),
        calls=calls[:CALLS],
        ignores=tuple(islice(ignores_of(text), IGNORES)),
        is_cut=len(calls) > CALLS,
    )


def shown_path(path: str) -> str:
    """As seen from the project's folder where it is below it."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
