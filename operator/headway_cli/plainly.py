"""What is said on a terminal or into a file that knows no UTF-8: plain characters in place of those that it lacks.

Rule: an arrow that cannot be written never ends a command. Both streams are prepared once, before anything is said.
"""

from __future__ import annotations

import codecs
import sys
from io import TextIOWrapper

HANDLER = "headway.plainly"
_PLAIN = {
    "…": "...",
    "→": "->",
    "▶": ">",
    "✓": "+",
    "✗": "x",
    "×": "x",
    "·": "-",
    "−": "-",
    "—": "-",
    "–": "-",
    "█": "#",
    "░": ".",
    "„": '"',
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
}
_ANYTHING_ELSE = "?"


def speak_plainly() -> None:
    """Prepare standard output and standard error, whatever locale and PYTHONIOENCODING say of them."""
    codecs.register_error(HANDLER, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=HANDLER)


def _plainly(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return b"".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> bytes:
    """A byte of a file's name that Python could not read (PEP 383) goes out as it came in."""
    if "\udc80" <= character <= "\udcff":
        return bytes((ord(character) - 0xDC00,))
    return _PLAIN.get(character, _ANYTHING_ELSE).encode("ascii")
