"""Takes data out of messages: parameters, literals of the statement, values that servers and drivers quote.

Rule: what is known of the statement is taken out by value, in whatever language the server speaks; what a server
only quotes from rows is taken out by the shape of its sentence. Each shape names whose it is. Sentences that the
user's own code wrote are left as they are, but for those values.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

SHORTEST_CHARACTERS = 4
"""Shorter values are numbers and flags, which stand in every sentence."""
MOST_VALUES = 10_000
GONE = "…"

_OPEN, _CLOSE = "\"'»«„“‘`", "\"'»«“”’`"
_GREEDY_QUOTE = re.compile(rf"(?<!\w)[{_OPEN}].*[{_CLOSE}](?!\w)", re.S)
_LITERAL = re.compile(r"'((?:[^']|'')*)'|\$(\w*)\$(.*?)\$\2\$|\b(\d{4,})\b", re.S)

_QUOTES_A_VALUE = re.compile(
    r"query argument \$\d|executemany\(\) argument"  # asyncpg, before it sends anything
    r"|percent-encoded token|connection info string|URI query parameter|\bin URI\b|IPv6 host address in URI"  # libpq
    r"|is not among the defined enum|literal value renderer"  # SQLAlchemy
    r"|invalid literal for int\(|could not convert string|isoformat string"  # Python
)
_SHAPES = (
    (re.compile(r"(query argument \$\d+: |argument #\d+[^:]*: ).*?(?= \(|$)", re.S), rf"\1{GONE}"),  # asyncpg
    (re.compile(r"(\([^()]*\))=\(.*\)", re.S), rf"\1=({GONE})"),  # PostgreSQL: Key (email)=(…)
    (re.compile(r"(row contains )\(.*\)", re.S), rf"\1({GONE})"),  # PostgreSQL
    (re.compile(r"(Duplicate entry )'.*'(?= for key)", re.S), rf"\1'{GONE}'"),  # MySQL
    (re.compile(r"(?i)(\bvalue:? )'.*'(?= for (?:column|function)\b)", re.S), rf"\1'{GONE}'"),  # MySQL
    (
        re.compile(r"(?i)((?:truncated incorrect|incorrect) \w+ value: )'.*'(?=\W*$)", re.S),
        rf"\1'{GONE}'",
    ),  # MySQL
    (re.compile(r"(Invalid JSON text[^\"']*)([\"']).*\2", re.S), rf"\1{GONE}"),  # MySQL
    (re.compile(r"(\bnear )'.*'(?= at line)", re.S), rf"\1'{GONE}'"),  # MySQL
    (re.compile(r"(out of range in )'.*'", re.S), rf"\1'{GONE}'"),  # MySQL
    (
        re.compile(r"((?:\bnear|token:) )\"(?=['\"$\d]|[^\"]*\s).*\"", re.S),
        rf'\1"{GONE}"',
    ),  # PostgreSQL, SQLite
)


def without_data(text: str, error: BaseException, sqlstate: str) -> str:
    """The text without values of the statement that failed, or of rows."""
    for value in sorted(set(values_of(error)), key=len, reverse=True):
        if value in text:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", GONE, text)
    if sqlstate.startswith("22") or _QUOTES_A_VALUE.search(text):
        text = _GREEDY_QUOTE.sub(f'"{GONE}"', text)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def values_of(error: BaseException) -> Iterator[str]:
    """Parameters, literals and quoted rows of this exception and of those that it came from, as they are printed."""
    for one in _chain(error):
        names = _names(one)
        found = (
            *islice(_flat(getattr(one, "params", None)), MOST_VALUES),
            *_literals(str(getattr(one, "statement", None) or "")),
            *_quoted_rows(one),
        )
        yield from (value for value in found if len(value) >= SHORTEST_CHARACTERS and value not in names)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, and every one below, before or behind it."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            below = getattr(one, "orig", None)
            todo += [one.__cause__, one.__context__, below if isinstance(below, BaseException) else None]
            yield one


def _flat(value: Any) -> Iterator[str]:
    """Each value within parameters of any shape."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _flat(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, (bytes, bytearray)):
        yield bytes(value).decode(errors="ignore")
    elif value is not None and not isinstance(value, bool):
        text = str(value)
        yield text
        yield repr(text)[1:-1]


def _literals(statement: str) -> Iterator[str]:
    """Texts and long numbers in a statement, also within the body of a function or a DO block."""
    for match in _LITERAL.finditer(statement):
        literal = match[1] if match[1] is not None else match[3] or match[4] or ""
        yield from (literal, literal.replace("''", "'"))
        yield from _literals(match[3] or "")


def _quoted_rows(error: BaseException) -> Iterator[str]:
    """DETAIL and CONTEXT of PostgreSQL in any language, as psycopg, asyncpg and pg8000 keep them."""
    told = getattr(error, "diag", None)
    for holder, fields in ((told, ("message_detail", "context")), (error, ("detail", "where"))):
        for name in fields:
            text = getattr(holder, name, None)
            if isinstance(text, str):
                yield text
                yield from text.splitlines()


def _names(error: BaseException) -> frozenset[str]:
    """What the server names, and people need: a value that is written like it stays."""
    told = getattr(error, "diag", None) or getattr(getattr(error, "orig", None), "diag", None) or error
    fields = ("table_name", "column_name", "constraint_name", "schema_name", "datatype_name")
    return frozenset(str(getattr(told, name, "") or "") for name in fields)
