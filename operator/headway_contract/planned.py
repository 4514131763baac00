"""What a plan showed of one database, small enough to be carried to the Job that does it.

Rule: it names where the database was and has a digest over everything that would run, so that whoever does it can
work out the same again and see whether it is still what was planned.
"""

import hashlib
import json
import re
from collections.abc import Iterable

from headway_contract.records import dataclass

_RELATIVE = re.compile(r"^([^@]+@)?[^@]*[+-]\d+$")

Starts = tuple[tuple[str, ...], ...]
"""The distinct heads of a database's migration contexts, each in order; one for most projects."""


@dataclass(frozen=True)
class EnvFacts:
    """What the plan's look learned of env.py, so that whoever carries the plan out need not find it out again."""

    contexts: int = 0
    """How many migration contexts it configures for the database; 0: not known."""
    one_transaction: bool = False
    """It sets something for one transaction only, so the revisions may not get one each."""
    writes: bool = False
    """It writes to the database by itself, so no look at it can be read-only."""
    asynchronous: bool = False
    """It makes an asynchronous engine, so a URL that names no driver gets one for that."""
    libpq: bool = False
    """Its connections are libpq's and tell what they were opened with, so libpq can be asked without env.py."""


NOT_KNOWN = EnvFacts()


@dataclass(frozen=True)
class Planned:
    """What is to be done to a database, as its plan showed it."""

    digest: str
    starts: Starts
    target: tuple[str, ...] = ()
    """The revisions at which it will be: what a relative target meant then."""
    downgrade: bool = False
    env: EnvFacts = NOT_KNOWN


def is_relative(target: str) -> bool:
    """``+2``, ``-1``, ``label@+1``: means another revision each time it is looked at."""
    return bool(_RELATIVE.match(target))


def distinct(heads: Iterable[tuple[str, ...]]) -> Starts:
    """The same heads, each once and in order."""
    return tuple(sorted({tuple(sorted(one)) for one in heads}))


def digest_of(
    starts: Starts, target: Iterable[str], downgrade: bool, revisions: Iterable[tuple[str, str]]
) -> str:
    """``sha256:…`` over heads, target and the revisions with the hashes of their files.

    The order of the revisions is no part of it: it follows from their files, and that of independent branches from
    the order in which a folder is listed.
    """
    facts = [distinct(starts), sorted(target), downgrade, sorted(revisions)]
    return "sha256:" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()
