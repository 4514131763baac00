"""Which rows a test run takes, and what it says of the others."""

from __future__ import annotations

from support.matrix import interpreters
from support.matrix.dimensions import Row
from support.matrix.pairs import first, written

CHOICES = ("chosen", "rest", "all")


def rows_of(which: str) -> tuple[Row, ...]:
    """The few of an ordinary run, those that it leaves, or all."""
    rows = written()
    few = first(rows)
    return {"chosen": few, "rest": tuple(row for row in rows if row not in few), "all": rows}[which]


def why_not(row: Row) -> str:
    """Why a row cannot be run on this machine; empty when it can."""
    # Every run of the tests imports this module, few of them need a server.
    from support.matrix import servers

    return interpreters.why_not(row.python) or servers.why_not(row.server)


def to_be_had(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Those that this machine can run."""
    return tuple(row for row in rows if not why_not(row))


def summary(which: str) -> list[str]:
    """Lines for the end of the run: how many rows it had, and each that it had not, with the reason."""
    rows = rows_of(which)
    here = to_be_had(rows)
    lines = [f"{len(here)} of {len(written())} rows were run"]
    others = len(written()) - len(rows)
    if others:
        lines.append(
            f"{others} are left to another run: make test runs the chosen ones, make test-all the rest"
        )
    return lines + [f"not to be had: {row}: {why_not(row)}" for row in rows if row not in here]
