"""``# headway: ignore RULE because REASON`` in a revision file."""

import io
import re
import tokenize
from collections.abc import Iterator

from headway_contract.facts import Ignore
from headway_contract.result import shorten
from headway_runner.facts.bounds import ARGUMENT_CHARACTERS

_WORD = "headway:"
_COMMENT = re.compile(r"#+\s*headway:\s*ignore\b(?P<rules>.*?)(?:\bbecause\b(?P<reason>.*))?$")
_NO_CODE = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.ENCODING,
    tokenize.INDENT,
    tokenize.DEDENT,
)


def ignores_of(text: str) -> Iterator[Ignore]:
    """Each rule of each comment; one for the whole file stands before the first line of code."""
    if _WORD not in text:
        return
    at_top = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield from _of_comment(
                token.string, token.start[0], at_top and not token.line[: token.start[1]].strip()
            )
        elif token.type not in _NO_CODE and not _is_docstring(token):
            at_top = False


def _is_docstring(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.STRING and token.start[1] == 0


def _of_comment(comment: str, line: int, whole_file: bool) -> Iterator[Ignore]:
    found = _COMMENT.match(comment)
    if found is None:
        return
    reason = shorten((found["reason"] or "").strip(" :"), ARGUMENT_CHARACTERS)
    for rule in re.split(r"[,\s]+", found["rules"].strip(" :,")):
        yield Ignore(rule, reason, line, whole_file)
