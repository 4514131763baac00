"""The commands of a text of SQL, each without comments and without what stands in its literals. Pure.

Rule: it is for telling what kind of command each is, so the body of a function counts as a part of its definition.
"""

import re
from functools import lru_cache

_MYSQL = ("mysql", "mariadb")
_OPENS = re.compile(r"[eE]?'|[\"`;#]|--|/\*|\*/|(?<![\w$])\$(?:[^\W\d]\w*)?\$")
_ENDS_A_COMMENT = re.compile(r"/\*|\*/")
_QUOTES = {
    (quote, escapes): re.compile(
        rf"[^{quote}{more}]*(?:(?:{quote}{quote}{pair})[^{quote}{more}]*)*{quote}?", re.S
    )
    for quote in "'\"`"
    for escapes, more, pair in ((False, "", ""), (True, r"\\", r"|\\."))
}
"""What follows a quote, up to the one that ends it; with escapes or without."""
_FOR_MYSQL_ALONE = re.compile(r"/\*M?!\d*")
_DEFINES_CODE = re.compile(r"create\b[^;]*?\b(?:function|procedure|trigger|event)\b", re.I)
_BEGIN = re.compile(r"\bbegin\b", re.I)
_SQL_BODY = re.compile(r"\bbegin\s+atomic\b", re.I)
_END = re.compile(r"end\s*$", re.I)


@lru_cache(maxsize=1)
def commands(text: str, dialect: str) -> tuple[str, ...]:
    """In order; of a literal only its quotes are left. Asked before and after each statement, so the last is kept."""
    if ";" not in text and not any(begins in text for begins in ("--", "/*", "#")):
        return (text.strip(),)
    split = [one.strip() for one in _split(text, dialect in _MYSQL, dialect == "postgresql")]
    return tuple(_with_bodies([one for one in split if one], dialect == "postgresql"))


def _split(text: str, is_mysql: bool, is_postgresql: bool) -> list[str]:
    found: list[str] = []
    parts: list[str] = []
    at = 0
    while (opens := _OPENS.search(text, at)) is not None:
        what = opens.group()
        parts.append(text[at : opens.start()])
        at = opens.end()
        if what == ";":
            found.append("".join(parts))
            parts = []
        elif what[-1] in "'\"`":
            escapes = (is_mysql and what != "`") or (len(what) == 2 and _is_alone(text, opens.start()))
            at = _end_of(_QUOTES[what[-1], escapes], text, at)
            parts.append(f"{what}'" if what[-1] == "'" else text[opens.start() : at])
        elif what[0] == "$":
            parts.append("$$" if is_postgresql else what)
            if is_postgresql:
                at = _after(text, what, at)
        elif what == "/*":
            parts.append(" ")
            hidden = _FOR_MYSQL_ALONE.match(text, opens.start()) if is_mysql else None
            # What only MySQL runs is no comment.
            at = hidden.end() if hidden else _end_of_comment(text, at, nests=is_postgresql)
        elif what == "*/" and is_mysql:
            parts.append(" ")
        elif _begins_a_comment(what, text[at : at + 1], is_mysql):
            parts.append(" ")
            at = _after(text, "\n", at)
        else:
            parts.append(what)
    return [*found, "".join([*parts, text[at:]])]


def _begins_a_comment(what: str, follows: str, is_mysql: bool) -> bool:
    """One that goes to the end of the line."""
    if is_mysql:
        return what == "#" or (what == "--" and (not follows or follows.isspace()))
    return what == "--"


def _is_alone(text: str, at: int) -> bool:
    """The letter before a quote is no end of a word."""
    return at == 0 or not (text[at - 1].isalnum() or text[at - 1] in "_$")


def _end_of(pattern: "re.Pattern[str]", text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _after(text: str, what: str, at: int) -> int:
    found = text.find(what, at)
    return len(text) if found < 0 else found + len(what)


def _end_of_comment(text: str, at: int, nests: bool) -> int:
    depth = 1
    while depth:
        mark = _ENDS_A_COMMENT.search(text, at)
        if mark is None:
            return len(text)
        at = mark.end()
        depth += -1 if mark.group() == "*/" else int(nests)
    return at


def _with_bodies(split: list[str], is_postgresql: bool) -> list[str]:
    """A body of several commands ends with its END; other servers take no second command after one."""
    found: list[str] = []
    rest = iter(split)
    for one in rest:
        body = [one]
        if _DEFINES_CODE.match(one) and (_SQL_BODY if is_postgresql else _BEGIN).search(one):
            for more in rest:
                body.append(more)
                if is_postgresql and _END.match(more):
                    break
        found.append("; ".join(body))
    return found
