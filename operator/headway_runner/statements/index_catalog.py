"""PostgreSQL's catalogue of indexes that are INVALID, and the sentences on them.

Rule: one that another session is building at this moment is invalid, too, and no failure.
"""

from collections.abc import Iterable
from typing import Any

from headway_contract.records import dataclass
from headway_runner.connections.dbapi import query

ADVICE = "REINDEX INDEX CONCURRENTLY builds it again, DROP INDEX CONCURRENTLY removes it"
# A role without pg_monitor is not told which index another role builds: then the lock that each build holds decides.
_INVALID = """
SELECT n.nspname, i.relname, quote_ident(n.nspname) || '.' || quote_ident(i.relname), pg_get_indexdef(i.oid),
  (SELECT min(p.pid) FROM pg_stat_progress_create_index p
   WHERE p.datname = current_database() AND p.pid <> pg_backend_pid()
   AND (p.index_relid = i.oid OR p.index_relid IS NULL AND EXISTS (
     SELECT 1 FROM pg_locks l WHERE l.pid = p.pid AND l.granted AND l.relation = x.indrelid
     AND l.mode = 'ShareUpdateExclusiveLock')))
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
WHERE NOT x.indisvalid AND i.relkind = 'i' {where} ORDER BY 1, 2
"""


@dataclass(frozen=True)
class InvalidIndex:
    """One of them. On a partitioned table the parent's index is none: it waits for those of its partitions."""

    schema: str
    name: str
    quoted: str
    """With its schema, as a statement takes it."""
    definition: str
    builder: int | None
    """The server process that is building it now."""

    @property
    def shown(self) -> str:
        """``schema.index``."""
        return f"{self.schema}.{self.name}"


def invalid(adapter: Any, where: str = "") -> tuple[InvalidIndex, ...]:
    """All of the database, also those that are being built; or those that a condition finds."""
    return tuple(InvalidIndex(*row) for row in query(adapter, _INVALID.format(where=where)))


def left(indexes: Iterable[InvalidIndex]) -> tuple[str, ...]:
    """Names of those that nobody is building any more."""
    return tuple(one.shown for one in indexes if one.builder is None)


def building(indexes: Iterable[InvalidIndex]) -> tuple[str, ...]:
    """A sentence on each of the others."""
    return tuple(
        f"Session {one.builder} is building the index {one.shown} at this moment."
        for one in indexes
        if one.builder is not None
    )


def told_left(names: Iterable[str]) -> tuple[str, ...]:
    """A sentence on each of those that were left, for before a run."""
    return tuple(
        f"The index {name} is INVALID: an interrupted build left it, and no query uses it. A revision that builds "
        f"it has it built again; else {ADVICE}."
        for name in names
    )
