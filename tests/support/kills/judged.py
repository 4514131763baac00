"""Whose backfill is judged: the library's, and the references that the proof itself is proven with."""

from __future__ import annotations

from dataclasses import dataclass

from support.kills.scenes import BLOCKS, KEYSET, STRIPED


@dataclass(frozen=True)
class Engine:
    """A backfill by the way in which a revision gets it, and where it keeps its checkpoint."""

    name: str
    origin: str
    """The import in the revision that gives the name `backfill`."""
    checkpoint: str
    """A query for the rows that were changed according to the checkpoint, and whether it is complete."""
    choice: str = ""
    """A query for the ways through the table that were chosen, in the words of scenes; empty: it chooses none."""


def reference(name: str) -> Engine:
    """One of `support.kills.engines`."""
    return Engine(
        name,
        f"from support.kills.engines import {name} as backfill",
        "SELECT rows, is_complete FROM reference_checkpoint",
    )


HEADWAY = Engine(
    "headway",
    "from headway import backfill",
    "SELECT coalesce(sum(rows_done), 0)::bigint, coalesce(bool_and(is_complete), false) FROM headway_backfill",
    f"""
    SELECT DISTINCT CASE way ->> 'strategy'
        WHEN 'striped' THEN CASE WHEN (way ->> 'stripes')::int > 1 THEN '{STRIPED}' ELSE '{BLOCKS}' END
        WHEN 'keyset' THEN '{KEYSET}' END
    FROM headway_backfill, CAST(choice AS json) AS way
    """,
)
