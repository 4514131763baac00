"""Dead row versions of the table that only VACUUM clears away: until then the table grows and every read gets slower.

Rule: what an update leaves on the page that it stays on (HOT) does not count, for the next visit of that page clears
it away. The server does not tell these apart, but it counts updates and deletes: of the dead rows at most those wait
for VACUUM that were there at the first reading, or after the last VACUUM, and those that were deleted or moved to
another page since. Rows of an INSERT that was rolled back count no more, either: a backfill makes none.

Rule: the limit is always above where autovacuum begins, or it would be waited for in vain. It is 1.5 times that,
summed over a table's partitions: each that is vacuumed goes below its own threshold, so all together go below 2/3 of
the limit and the hold ends. Where autovacuum is off nobody would ever end a hold, so there is none.
"""

from dataclasses import dataclass, field

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
SELECT CAST(l.relid AS bigint), s.n_dead_tup, s.n_tup_upd - s.n_tup_hot_upd + s.n_tup_del,
  s.vacuum_count + s.autovacuum_count, CAST(greatest(s.n_live_tup, l.reltuples) AS bigint),
  CAST(l.reltuples AS bigint),
  CAST(l.relpages AS bigint) * CAST(current_setting('block_size') AS bigint),
  CAST(coalesce(l.base, current_setting('autovacuum_vacuum_threshold')) AS double precision)
    + CAST(coalesce(l.scale, current_setting('autovacuum_vacuum_scale_factor')) AS double precision) * l.reltuples,
  CAST(coalesce(l.enabled, 'true') AS boolean)
    AND CAST(current_setting('autovacuum') AS boolean) AND CAST(current_setting('track_counts') AS boolean)
FROM leaf l JOIN pg_stat_all_tables s ON s.relid = l.relid
"""


@dataclass(frozen=True)
class Part:
    """A table, or a partition of it that has rows itself."""

    oid: int
    dead: int
    moved: int
    """Rows that were ever deleted, or updated to another page."""
    vacuums: int
    """That have ended."""
    rows: int
    counted: int
    """Rows at the last VACUUM or ANALYZE."""
    size: int
    """Bytes, then."""
    autovacuum_from: float
    """Dead rows at which autovacuum begins."""
    is_vacuumed: bool


@dataclass(frozen=True)
class DeadRows:
    """Of a table, over all its partitions."""

    dead: int
    """That wait for VACUUM."""
    rows: int
    row_bytes: float
    """On average."""
    autovacuum_from: float
    """Dead rows, of whatever kind, at which autovacuum begins."""
    is_vacuumed: bool
    """Autovacuum is on, for the server and for each part of the table."""


@dataclass
class Counting:
    """Of one table, by its quoted name with its schema; remembers where it began to count."""

    relation: str
    _begun: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """By a part's oid: its vacuums and moved rows when it was last seen, and how many more dead than moved rows it
    had at the beginning.
    """

    def read(self, ask: Ask) -> "DeadRows | Unreadable":
        """One reading."""
        parts = [Part(*row) for row in ask(_TABLE, relation=self.relation)]
        if not parts:
            return Unreadable(f"there is no table {self.relation}")
        size, counted = sum(one.size for one in parts), sum(one.counted for one in parts)
        return DeadRows(
            sum(self._waiting(one) for one in parts),
            sum(one.rows for one in parts),
            size / counted if size and counted else ASSUMED_ROW_BYTES,
            sum(one.autovacuum_from for one in parts),
            all(one.is_vacuumed for one in parts),
        )

    def _waiting(self, part: Part) -> int:
        vacuums, moved, more = self._begun.get(part.oid, (-1, 0, 0))
        # Counters that have gone back were reset.
        if vacuums != part.vacuums or moved > part.moved:
            more = part.dead - part.moved
        self._begun[part.oid] = (part.vacuums, part.moved, more)
        return min(part.dead, part.moved + more)


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
    return Signal(NAME, Counting(relation).read, _judge)
