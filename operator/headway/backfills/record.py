"""What a backfill has done and cost, over all its runs: from the tally to the fact, and the sizes that it
grew by.
"""

from sqlalchemy.engine import Connection

from headway.backfills.known import Known
from headway.backfills.queries import one
from headway.backfills.state import State
from headway.facts import BackfillFinished

Sizes = "tuple[int, int]"


def sizes(connection: Connection, known: Known) -> "tuple[int, int]":
    """Bytes of heap and indexes; -1 where the server does not tell."""
    if known.dialect != "postgresql":
        return -1, -1
    heap = " + ".join(f"pg_relation_size({leaf.oid})" for leaf in known.leaves) or "0"
    index = " + ".join(f"pg_indexes_size({leaf.oid})" for leaf in known.leaves) or "0"
    row = one(connection, f"SELECT CAST({heap} AS bigint), CAST({index} AS bigint)")
    return (-1, -1) if row is None else (int(row[0]), int(row[1]))


def finished(operation: str, table: str, state: State, now: "tuple[int, int]") -> BackfillFinished:
    """The record; ``now``: bytes of heap and indexes at the end."""
    tally = state.tally
    return BackfillFinished(
        operation=operation,
        table=table,
        rows=tally.rows,
        seconds=round(tally.seconds, 3),
        wal_bytes=tally.wal_bytes or None,
        heap_growth_bytes=_growth(tally.heap_bytes, now[0]),
        index_growth_bytes=_growth(tally.index_bytes, now[1]),
        hot_ratio=None if tally.hot_ratio is None else round(tally.hot_ratio, 3),
        batches=tally.batches,
        batch_p50_ms=round(tally.quantile_ms(0.5), 1),
        batch_p99_ms=round(tally.quantile_ms(0.99), 1),
        blocked_ms=round(tally.blocked_ms, 1),
        throttled_seconds=round(tally.throttled_seconds, 3),
    )


def _growth(before: int, now: int) -> "int | None":
    return None if before < 0 or now < 0 else now - before
