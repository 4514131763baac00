"""The rows that are run: every possible pair of values is in one of them. They stand in `rows.txt`.

    PYTHONPATH=tests python -m support.matrix.pairs      writes that file anew

Rule: the file is what is run and reviewed; a unit test holds it equal to what this module works out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path

from support.matrix.dimensions import FIRST_SERVERS, Row, possible_rows

FILE = Path(__file__).with_name("rows.txt")
WIDTHS = (8, 9, 12, 10, 15)


def covering(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Greedy all-pairs: always the row with most pairs that no row has yet, the first of equals."""
    rows = tuple(rows)
    pairs = {row: row.pairs() for row in rows}
    missing = set().union(*pairs.values())
    taken = []
    while missing:
        best = max(rows, key=lambda row: len(pairs[row] & missing))
        taken.append(best)
        missing -= pairs[best]
    return tuple(taken)


def first(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The few of an ordinary test run: with pip's own servers alone, every value that these can show is in one."""
    rows = [row for row in rows if row.server in FIRST_SERVERS]
    missing = {value for row in rows for value in enumerate(astuple(row))}
    taken = []
    while missing:
        best = max(rows, key=lambda row: len(missing & set(enumerate(astuple(row)))))
        taken.append(best)
        missing -= set(enumerate(astuple(best)))
    return tuple(row for row in rows if row in taken)


def written() -> tuple[Row, ...]:
    """The rows of the file."""
    lines = [line for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
    return tuple(Row(*line.rstrip("* ").split()) for line in lines)


def text(rows: tuple[Row, ...]) -> str:
    """The file's content."""
    few = first(rows)
    names = [field.name for field in fields(Row)]
    lines = [
        "# Written by `python -m support.matrix.pairs`. A row with * is part of `make test`.",
        "# " + _columns(names).rstrip(),
    ]
    lines += [f"  {_columns(astuple(row))}{'*' if row in few else ''}".rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def _columns(values: Iterable[str]) -> str:
    return "".join(f"{value:{width}}" for value, width in zip(values, WIDTHS, strict=True))


if __name__ == "__main__":
    FILE.write_text(text(covering(possible_rows())))
