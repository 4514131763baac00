"""Small things about SQL that all operations share: texts, names and literals, and what an error says.

Rule: a text goes to the server as it was written, whatever the driver makes of colons and per cent signs.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql import ClauseElement

_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.S)
_VALUES = re.compile(r"'|\$|\bVALUES\b|\bWHERE\b|\bSET\b|\bLIMIT\b|(?<![\w\"])\d", re.I)
SHOWN_CHARACTERS = 60
PLAIN = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
"""PostgreSQL as a script has it: no driver, so nothing is doubled for one."""


def execute(connection: Connection, statement: "str | ClauseElement") -> None:
    """Run one statement without parameters; raises the driver's error below SQLAlchemy's."""
    connection.execute(_element(statement)).close()


def rows(connection: Connection, statement: "str | ClauseElement") -> list[tuple[Any, ...]]:
    """All rows of one statement without parameters."""
    return [tuple(row) for row in connection.execute(_element(statement)).fetchall()]


def _element(statement: "str | ClauseElement") -> Any:
    return clause(statement)


def quoted(dialect: Dialect, *names: "str | None") -> str:
    """Names as the dialect quotes them, joined by dots; None (no schema) is left out."""
    text_of = ".".join(dialect.identifier_preparer.quote(name) for name in names if name is not None)
    # For drivers that mark parameters by per cent signs SQLAlchemy doubles those in names; execute() does it itself.
    return text_of.replace("%%", "%") if dialect.paramstyle in ("format", "pyformat") else text_of


def in_words(names: "Iterable[str]") -> str:
    """``a, b and c``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def shortened(name: str, longest: int = 63) -> str:
    """A name of at most 63 bytes, as PostgreSQL keeps them; what is cut off is replaced by a digest of the whole."""
    data = name.encode()
    if len(data) <= longest:
        return name
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()[:8]
    return f"{data[: longest - 9].decode(errors='ignore')}_{digest}"


def cut(name: str) -> str:
    """A name as PostgreSQL keeps a longer one: its first 63 bytes, less what is no whole character."""
    return name.encode()[:63].decode(errors="ignore")


def as_sql(expression: "str | ClauseElement") -> str:
    """SQL text of an expression, its values written out."""
    if isinstance(expression, str):
        return expression
    return str(expression.compile(dialect=PLAIN, compile_kwargs={"literal_binds": True}))


def clause(expression: "str | ClauseElement") -> ClauseElement:
    """An expression as SQLAlchemy has it; in a text a colon is a colon."""
    return text(expression.replace(":", "\\:")) if isinstance(expression, str) else expression


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
