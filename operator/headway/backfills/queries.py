"""Statements with values of ours in texts of the user's.

Rule: a user's text goes to the server as it was written: its colons are escaped before a ``:name`` of ours is
put beside it.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.elements import TextClause

from headway.statements import quoted


def name_in(dialect: Dialect, *names: "str | None") -> str:
    """Names as the dialect quotes them, joined by dots, in a text for :func:`run`."""
    return quoted(dialect, *names).replace(":", "\\:")


def as_text(expression: Any, dialect: Dialect) -> str:
    """SQL of a text or an element of SQLAlchemy's, its values as literals; colons are escaped for
    :func:`run`.

    Raises whatever SQLAlchemy raises for an element that the dialect cannot say, or a value that it has no
    literal for.
    """
    if not isinstance(expression, ClauseElement):
        return str(expression).replace(":", "\\:")
    # Another style of parameters: per cent signs are doubled for the drivers of this one, and that by text()
    # again.
    kind: Any = type(dialect)
    plain = kind(paramstyle="named")
    return str(expression.compile(dialect=plain, compile_kwargs={"literal_binds": True})).replace(":", "\\:")


def ended(sql: str) -> str:
    """A text after which more may be written on: the end of its line ends a comment, which would swallow the rest."""
    return f"{sql}\n" if "--" in sql or "#" in sql else sql


@lru_cache(maxsize=128)
def _clause(statement: str) -> TextClause:
    """Kept, with what SQLAlchemy finds out about it: a batch runs the statements of the one before again."""
    return text(statement)


def run(connection: Connection, statement: str, **values: Any) -> Any:
    """The result of a statement; ``:name`` stands for a value."""
    return connection.execute(_clause(statement), values)


def one(connection: Connection, statement: str, **values: Any) -> "tuple[Any, ...] | None":
    """The first row, None without rows."""
    row = run(connection, statement, **values).first()
    return None if row is None else tuple(row)


def every(connection: Connection, statement: str, **values: Any) -> "list[tuple[Any, ...]]":
    """All rows."""
    return [tuple(row) for row in run(connection, statement, **values).fetchall()]
