"""From an exception to one sentence for people: what the database or the code said, without data and credentials.

Rule: the database's own first sentence is taken, never SQLAlchemy's text, which has the statement and its parameters
in it; what quotes the statement or rows (LINE, DETAIL, CONTEXT) is left out. Constraint, table and column stay.
"""

import re
import traceback
from collections.abc import Iterator, Mapping
from types import TracebackType

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from headway_contract.result import shorten
from headway_runner.words.data import without_data
from headway_runner.words.secrecy import mask
from headway_runner.words.standard_streams import write_error

_QUOTED = re.compile(
    r"^\s*\^|\b(?:LINE|ZEILE|LIGNE|L[IÍ]NEA|LINHA) ?\d+ ?:|\[SQL: |\[parameters: "
    r"|\b(?:DETAIL|DÉTAIL|DETALLE|DETALHE|CONTEXT|KONTEXT|CONTEXTE|CONTEXTO) ?:"
)
"""Words of the servers' languages: the user's code may hand on a whole message."""
_BACKGROUND = "(Background on this error at: "
_TEXT_IN_CODE = re.compile(r"""('''|\"{3}|'|")(?:(?!\1)[^\\]|\\.)*(?:\1|$)""")


def origin(error: BaseException) -> BaseException:
    """The driver's exception below SQLAlchemy's, or the exception itself."""
    below = getattr(error, "orig", None)
    return below if isinstance(below, BaseException) else error


def server_fields(error: BaseException) -> Mapping[str, str]:
    """The fields of PostgreSQL's error message by their letters, as pg8000 gives them; {} for other drivers."""
    first = origin(error).args[0] if origin(error).args else None
    return first if isinstance(first, Mapping) and "M" in first else {}


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE wherever the driver keeps it."""
    if fields := server_fields(error):
        return fields.get("C", "")
    for one in (origin(error), error, error.__cause__):
        for name in ("sqlstate", "pgcode"):
            value = getattr(one, name, None)
            if isinstance(value, str):
                return value
    return ""


def describe(error: BaseException) -> str:
    """One short text for people, without statement, parameters, rows of data or credentials."""
    below = origin(error)
    of_sqlalchemy = below is error and isinstance(error, SQLAlchemyError)
    said = _of_server(error) or str(error.args[0] if of_sqlalchemy and error.args else below)
    text = _one_line(_plain_lines(re.sub(r"^<class '[\w.]+'>: ", "", said)))
    if not (of_sqlalchemy or isinstance(error, (DBAPIError, CommandError))) or not text:
        text = f"{type(below).__name__}: {text}" if text else type(below).__name__
    return shorten(mask(without_data(text, error, sqlstate(error))))


def _of_server(error: BaseException) -> str:
    """PostgreSQL's first sentence and its hint from the fields of its message, whatever language it speaks."""
    fields, told = server_fields(error), getattr(origin(error), "diag", None)
    first = fields.get("M") or getattr(told, "message_primary", None)
    hint = fields.get("H") or getattr(told, "message_hint", None)
    return f"{first}\nHINT: {hint}" if first and hint else first or ""


def _one_line(lines: Iterator[str]) -> str:
    """A line that begins with a capital is a sentence of its own."""
    text = ""
    for line in lines:
        new_sentence = bool(text) and line[0].isupper() and text[-1] not in ".,:;!?"
        text = f"{text}{'.' if new_sentence else ''} {line}".lstrip()
    return text


def _plain_lines(text: str) -> Iterator[str]:
    """The lines of a message that quote neither the statement nor data; also where it was quoted itself."""
    quoting = False
    for line in re.split(r"\n|\\n", text):
        if line.lstrip().startswith(("HINT:", _BACKGROUND)):
            quoting = False
        found = None if quoting else _QUOTED.search(line)
        kept = "" if quoting else line[: found.start()] if found else line
        quoting = quoting or found is not None
        kept = kept.split(_BACKGROUND)[0].strip()
        if kept:
            yield kept


def print_frames(trace: TracebackType | None) -> None:
    """Where it was raised, as Python prints it, but for the texts in the code: they may be a statement's values."""
    for frame in traceback.extract_tb(trace):
        code = _TEXT_IN_CODE.sub(r"\1…\1", (frame.line or "").strip())
        where = f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n'
        write_error(mask(where + (f"    {code}\n" if code else "")))
