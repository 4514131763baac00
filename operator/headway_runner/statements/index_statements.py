"""Which statement builds which index: read from its text, without a server. Pure.

Rule: names come out as the catalogue has them (unquoted ones in lower case); a table's name stays as it was written,
because only the server knows where its schema is found.
"""

import re

from headway_contract.records import dataclass

_LEADING_COMMENTS = re.compile(r"\s*(?:/\*.*?\*/\s*|--[^\n]*(?:\n\s*|$))*", re.S)
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_QUALIFIED = rf"{_NAME}(?:\s*\.\s*{_NAME})?"
_BUILDS = re.compile(
    r"create\s+(?P<unique>unique\s+)?index\s+(?P<concurrently>concurrently\s+)?"
    rf"(?:(?P<careful>if\s+not\s+exists\s+)?(?!on\s)(?P<index>{_QUALIFIED})\s+)?"
    rf"on\s+(?:only\s+)?(?P<table>{_QUALIFIED})\s*(?P<rest>.*)",
    re.I | re.S,
)
_REBUILDS = re.compile(
    r"reindex\s*(?:\((?P<options>[^)]*)\)\s*)?(?P<kind>index|table|schema|database|system)\b\s*"
    rf"(?P<concurrently>concurrently\b\s*)?(?P<name>{_QUALIFIED})?",
    re.I,
)


@dataclass(frozen=True)
class Build:
    """``CREATE INDEX``."""

    table: str
    """As written, perhaps with a schema."""
    index: str
    """"" when the server is to name it."""
    definition: str
    """What follows the table's name, and whether it is unique, in a form that can be compared."""
    concurrently: bool
    if_not_exists: bool


@dataclass(frozen=True)
class Rebuild:
    """``REINDEX … CONCURRENTLY``."""

    kind: str
    """index, table, schema, database or system"""
    name: str
    """As written."""


def uncommented(statement: str) -> str:
    """The statement without the comments and blanks before it."""
    return _LEADING_COMMENTS.sub("", statement, count=1)


def built(statement: str) -> Build | None:
    """What a statement builds, None when it builds no index."""
    match = _BUILDS.match(uncommented(statement))
    if match is None:
        return None
    definition = ("unique " if match["unique"] else "") + comparable(match["rest"])
    index = "" if match["index"] is None else last_name(match["index"])
    return Build(match["table"], index, definition, bool(match["concurrently"]), bool(match["careful"]))


def rebuilt(statement: str) -> Rebuild | None:
    """What a statement builds again concurrently, None when it does not."""
    match = _REBUILDS.match(uncommented(statement))
    if match is None:
        return None
    options = re.sub(r"\s+", " ", match["options"] or "").lower()
    asked = re.search(r"\bconcurrently\b(?! (false|off|0))", options)
    if not match["concurrently"] and not asked:
        return None
    return Rebuild(match["kind"].lower(), match["name"] or "")


def last_name(qualified: str) -> str:
    """The last part of a name as the catalogue has it."""
    part: str = re.findall(_NAME, qualified)[-1]
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.lower()


def comparable(definition: str) -> str:
    """Columns and options of an index, as written or as the server shows them, in one form."""
    text = re.sub(r"\s+", " ", definition).strip().rstrip(";").strip()
    text = re.sub(r"^using btree\b ?", "", text, flags=re.I)
    return re.sub(r" ?([(),]) ?", r"\1", text).replace('"', "").lower()
