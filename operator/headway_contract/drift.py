"""What differs between a database and the models of its project: information, never a failure of a run.

It travels as a document in the log, and the result names it by its sha256. Of a comparison that a run makes by
itself the result has the :class:`~headway_contract.drift_report.DriftReport` alone.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from headway_contract.codec import Undecodable, decode, encode
from headway_contract.drift_report import DIFFERENCES_TOLD, TEXT_CHARACTERS, DriftReport
from headway_contract.read_json import read_json
from headway_contract.records import dataclass
from headway_contract.result import Failure, shorten
from headway_contract.sentences import sentence

NEXT_STEP = "What the run did stands; `headway check` compares by itself."


@dataclass(frozen=True)
class Difference:
    """One of them."""

    kind: str
    """Alembic's word, such as ``add_column``: what autogenerate would do to the database."""
    name: str
    """What it is about: ``users``, ``users.status``, ``ix_a on users``; with a schema if it has one."""
    sentence: str
    """For people, without a full stop."""


@dataclass(frozen=True)
class DatabaseDrift:
    """What was found of one database."""

    name: str
    differences: tuple[Difference, ...] = ()
    not_compared: str = ""
    """Why there was nothing to compare, or not yet; a sentence."""
    failure: Failure | None = None


@dataclass(frozen=True)
class Drift:
    """What was found of all databases."""

    databases: tuple[DatabaseDrift, ...]

    def to_json(self) -> str:
        """The document."""
        return json.dumps(encode(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Drift | None":
        """Read a document, None when it is not one."""
        try:
            return decode(cls, read_json(text))
        except (ValueError, Undecodable):
            return None


def without_ignored(database: DatabaseDrift, patterns: Sequence[str]) -> DatabaseDrift:
    """Without what a pattern names: a name (``legacy_*``), or a kind and a name (``remove_index:*``)."""
    return replace(
        database,
        differences=tuple(
            one
            for one in database.differences
            if not any(_matches(pattern, one.kind, one.name) for pattern in patterns)
        ),
    )


def _matches(pattern: str, kind: str, name: str) -> bool:
    wanted_kind, separator, wanted_name = pattern.partition(":")
    if not separator:
        return fnmatchcase(name, pattern)
    return fnmatchcase(kind, wanted_kind) and fnmatchcase(name, wanted_name)


def report_of(database: DatabaseDrift, ignore: Sequence[str]) -> DriftReport:
    """What the result of a run tells of it."""
    if database.failure is not None:
        why = sentence(database.failure.message)
        return DriftReport(message=shorten(f"The comparison failed: {why} {NEXT_STEP}"))
    found = without_ignored(database, ignore).differences
    if database.not_compared and not database.differences:
        return DriftReport(message=shorten(database.not_compared))
    return DriftReport(
        count=len(found),
        differences=tuple(shorten(one.sentence, TEXT_CHARACTERS) for one in found[:DIFFERENCES_TOLD]),
        digest=_digest(found),
        message=shorten(database.not_compared),
    )


def _digest(found: Sequence[Difference]) -> str:
    if not found:
        return ""
    told = json.dumps([[one.kind, one.name, one.sentence] for one in found])
    return "sha256:" + hashlib.sha256(told.encode()).hexdigest()
