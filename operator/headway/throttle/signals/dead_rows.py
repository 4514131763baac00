"""Dead row versions of the table: what VACUUM has not caught up with makes the table grow and every read slower.

Rule: the limit is always above where autovacuum begins, or it would be waited for in vain. It is 1.5 times that,
summed over a table's partitions: each that is vacuumed goes below its own threshold, so all together go below 2/3 of
the limit and the hold ends. Where autovacuum is off nobody would ever end a hold, so there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass

from headway.throttle.level import Level, count, measured
from headway.throttle.limits import Limits
from headway.throttle.signals.signal import Ask, Signal, Unreadable

NAME = "dead rows"
ABOVE_AUTOVACUUM = 1.5
ASSUMED_ROW_BYTES = 128.0
"""Of a table that was never vacuumed or analyzed."""

# The catalog's own numbers: pg_relation_size() and pg_partition_tree() would wait for a lock on the table.
_TABLE = """
WITH RECURSIVE part AS (
  SELECT CAST(to_regclass(:relation) AS oid) AS relid
  UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN part p ON i.inhparent = p.relid
), option AS (
  SELECT c.oid AS relid, o.option_name AS name, o.option_value AS value
  FROM part p JOIN pg_class c ON c.oid = p.relid, pg_options_to_table(c.reloptions) o
), leaf AS (
  SELECT c.oid AS relid, c.relpages, greatest(c.reltuples, 0) AS reltuples,
    (SELECT value FROM option o WHERE o.relid = c.oid AND name = 'autovacuum_vacuum_threshold') AS base,
    (SELECT value FROM option o WHERE o.relid = c.oid AND name = 'autovacuum_vacuum_scale_factor') AS scale,
    (SELECT value FROM option o WHERE o.relid = c.oid AND name = 'autovacuum_enabled') AS enabled
  FROM part p JOIN pg_class c ON c.oid = p.relid WHERE c.relkind IN ('r', 'm')
)
SELECT CAST(coalesce(sum(s.n_dead_tup), 0) AS bigint),
  CAST(coalesce(sum(greatest(s.n_live_tup, l.reltuples)), 0) AS bigint),
  CAST(coalesce(sum(l.reltuples), 0) AS bigint),
  CAST(coalesce(sum(CAST(l.relpages AS bigint)), 0) * CAST(current_setting('block_size') AS bigint) AS bigint),
  CAST(coalesce(sum(
    CAST(coalesce(l.base, current_setting('autovacuum_vacuum_threshold')) AS double precision)
    + CAST(coalesce(l.scale, current_setting('autovacuum_vacuum_scale_factor')) AS double precision)
    * l.reltuples), 0) AS double precision),
  coalesce(bool_and(CAST(coalesce(l.enabled, 'true') AS boolean)), true)
    AND CAST(current_setting('autovacuum') AS boolean) AND CAST(current_setting('track_counts') AS boolean),
  count(*)
FROM leaf l JOIN pg_stat_all_tables s ON s.relid = l.relid
"""


@dataclass(frozen=True)
class DeadRows:
    """Of a table, over all its partitions."""

    dead: int
    rows: int
    row_bytes: float
    """On average."""
    autovacuum_from: float
    """Dead rows at which autovacuum begins."""
    is_vacuumed: bool
    """Autovacuum is on, for the server and for each part of the table."""


def reader(relation: str) -> "Callable[[Ask], DeadRows | Unreadable]":
    """Of a table by its quoted name with its schema."""

    def read(ask: Ask) -> "DeadRows | Unreadable":
        dead, rows, counted, size, threshold, is_vacuumed, parts = ask(_TABLE, relation=relation)[0]
        if not parts:
            return Unreadable(f"there is no table {relation}")
        row_bytes = size / counted if size and counted else ASSUMED_ROW_BYTES
        return DeadRows(int(dead), int(rows), float(row_bytes), float(threshold), bool(is_vacuumed))

    return read


def limit_of(reading: DeadRows, limits: Limits) -> float:
    """In rows."""
    return max(
        reading.rows * limits.dead_share,
        limits.dead_bytes / reading.row_bytes,
        reading.autovacuum_from * ABOVE_AUTOVACUUM,
    )


def _judge(reading: DeadRows, limits: Limits) -> Level:
    if not reading.is_vacuumed:
        return Level(NAME)
    limit = limit_of(reading, limits)
    return measured(NAME, "the table has", reading.dead, "dead rows that wait for VACUUM", limit, count)


def dead_rows(relation: str) -> Signal[DeadRows]:
    """The signal of one table; everybody may read it, and it waits for no lock."""
    return Signal(NAME, reader(relation), _judge)
