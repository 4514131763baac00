"""Small things about SQL that all operations share: texts, names and literals, and what an error says.

Rule: a text goes to the server as it was written, whatever the driver makes of colons and per cent signs.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql import ClauseElement

_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.S)
_VALUES = re.compile(r"'|\$|\bVALUES\b|\bWHERE\b|\bSET\b|\bLIMIT\b|(?<![\w\"])\d", re.I)
SHOWN_CHARACTERS = 60


def execute(connection: Connection, statement: "str | ClauseElement") -> None:
    """Run one statement without parameters; raises the driver's error below SQLAlchemy's."""
    connection.execute(_element(statement)).close()


def rows(connection: Connection, statement: "str | ClauseElement") -> list[tuple[Any, ...]]:
    """All rows of one statement without parameters."""
    return [tuple(row) for row in connection.execute(_element(statement)).fetchall()]


def _element(statement: "str | ClauseElement") -> Any:
    return text(statement.replace(":", "\\:")) if isinstance(statement, str) else statement


def quoted(dialect: Dialect, *names: "str | None") -> str:
    """Names as the dialect quotes them, joined by dots; None (no schema) is left out."""
    return ".".join(dialect.identifier_preparer.quote(name) for name in names if name is not None)


def literal(value: str) -> str:
    """A text as a literal of standard SQL."""
    return "'" + value.replace("'", "''") + "'"


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE wherever the driver keeps it, "" where it keeps none."""
    below = getattr(error, "orig", None) or error
    first = below.args[0] if below.args else None
    if isinstance(first, Mapping):
        # pg8000 gives the fields of the server's message by their letters.
        return str(first.get("C", ""))
    for one in (below, getattr(below, "__cause__", None)):
        for name in ("sqlstate", "pgcode"):
            value = getattr(one, name, None)
            if isinstance(value, str):
                return value
    return ""


def first_words(statement: str) -> str:
    """Which statement it is, without comments and without any value that stands in it."""
    words = " ".join(_COMMENT.sub(" ", statement).split())
    found = _VALUES.search(words)
    return (words[: found.start()] if found else words)[:SHOWN_CHARACTERS].strip(" (=<>") or "?"
