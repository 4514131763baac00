"""What a backfill is called in the checkpoint when the revision gives it no name, and the digest of what
it asks for.
"""

import hashlib
import sys
from types import FrameType
from typing import Any

from headway.backfills.known import Asked

LONGEST = 255
DIGEST = 12


def digest_of(*values: Any) -> str:
    """The same for the same values."""
    return hashlib.sha256(repr(values).encode()).hexdigest()


def default_name(asked: Asked, revision: str) -> str:
    """Revision, table and columns, and a digest of the condition: another condition is another backfill."""
    table = f"{asked.schema}.{asked.table}" if asked.schema else asked.table
    condition = f" {digest_of(asked.where)[:DIGEST]}" if asked.where else ""
    name = f"{revision}: {table} ({', '.join(asked.columns)}){condition}"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - DIGEST - 1]} {digest_of(name)[:DIGEST]}"


def calling_revision() -> str:
    """Of the revision file whose function is running: Alembic itself tells no one which it is. Empty: none
    is.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        found = frame.f_globals.get("revision")
        if isinstance(found, str) and "down_revision" in frame.f_globals:
            return found
        frame = frame.f_back
    return ""
