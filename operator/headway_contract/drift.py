"""What differs between a database and the models of its project: information, never a failure of a run.

It travels as a document in the log, and the result names it by its sha256.
"""

import json
from dataclasses import dataclass

from headway_contract.codec import Undecodable, decode, encode
from headway_contract.result import Failure


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
            return decode(cls, json.loads(text))
        except (ValueError, Undecodable):
            return None
