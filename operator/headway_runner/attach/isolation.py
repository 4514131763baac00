"""Does a command start Python so that it loads nothing from outside (``-I``, ``-E``, ``-S``)? Files are only read."""

import re
import shutil
from collections.abc import Sequence

_PYTHON = re.compile(r"(python|pypy)[\d.]*$")
_WITH_VALUE = "cmWX"
_ISOLATING = "IES"
_LINE_BYTES = 256


def option_that_isolates(command: Sequence[str], path: str) -> str:
    """The option, '' when none is seen: in the command itself, or in the first line of the script that it names."""
    if _PYTHON.search(command[0]):
        return _isolating(command[1:])
    words = _first_line(shutil.which(command[0], path=path) or command[0])
    starts = next((place for place, word in enumerate(words[:3]) if _PYTHON.search(word)), None)
    return "" if starts is None else _isolating(words[starts + 1 :])


def _isolating(words: Sequence[str]) -> str:
    for word in words:
        if not word.startswith("-") or word.startswith("--"):
            break
        for letter in word[1:]:
            if letter in _ISOLATING:
                return f"-{letter}"
            if letter in _WITH_VALUE:
                return ""
    return ""


def _first_line(file: str) -> list[str]:
    """The words after ``#!``; [] for anything else."""
    try:
        with open(file, "rb") as script:
            line = script.read(_LINE_BYTES).split(b"\n")[0]
    except OSError:
        return []
    return line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []
