"""Batched loops that a revision writes by hand: recognised by their statement, told like a backfill of the library.

Rule: a statement that changes rows, in the same words but for numbers, again and again within one revision is a loop.
Pure: it is told each statement with its count of rows and the time, and says what is worth telling.
"""

import re
from dataclasses import dataclass

TIMES = 3
"""So often a statement comes before it is taken for a loop."""
PATIENCE_SECONDS = 1.0
"""What is over sooner is not told of, and of what lasts no more than this often."""
_CHANGES = ("UPDATE", "DELETE", "WITH", "INSERT")
_NUMBER = re.compile(r"\b\d+\b")
_NAME = r'((?:"[^"]+"|`[^`]+`|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|`[^`]+`|[\w$]+))?)'
_TARGET = re.compile(rf"\b(UPDATE|DELETE\s+FROM|INSERT\s+INTO)\s+(?:ONLY\s+)?{_NAME}", re.I)
_LONGEST = 20_000
"""Characters of a statement beyond which it is no batch but data."""


@dataclass
class Loop:
    """One statement and what it has done so far."""

    verb: str
    table: str
    began: float
    times: int = 0
    rows: int = 0
    told_at: float = float("-inf")
    told_rows: int = 0
    rows_per_second: float = 0.0

    @property
    def operation(self) -> str:
        """``UPDATE users``."""
        return f"{self.verb} {self.table}"


class Loops:
    """The loops of the revision that is running. Times are seconds of a clock that only goes forward."""

    def __init__(self) -> None:
        self._loops: dict[str, Loop | None] = {}

    def clear(self) -> None:
        """A revision begins or has ended."""
        if self._loops:
            self._loops = {}

    def executed(self, statement: str, rows: int, now: float) -> Loop | None:
        """A statement has changed so many rows (below 0: not known); its loop, when that is to be told now."""
        if not statement.lstrip()[:6].upper().startswith(_CHANGES) or len(statement) > _LONGEST:
            return None
        words = _NUMBER.sub("0", statement)
        if words not in self._loops:
            self._loops[words] = _loop_of(words, now)
        loop = self._loops[words]
        if loop is None:
            return None
        loop.times += 1
        loop.rows += max(rows, 0)
        since = max(loop.told_at, loop.began)
        if loop.times < TIMES or loop.rows == loop.told_rows or now - since < PATIENCE_SECONDS:
            return None
        loop.rows_per_second = (loop.rows - loop.told_rows) / (now - since)
        loop.told_at, loop.told_rows = now, loop.rows
        return loop


def _loop_of(statement: str, now: float) -> Loop | None:
    found = _TARGET.search(statement)
    if found is None:
        return None
    verb = found[1].split()[0].upper()
    return Loop(verb, re.sub(r"\s*\.\s*", ".", re.sub(r'["`]', "", found[2])), now)
