"""What PostgreSQL's catalog has of a table's indexes, and how far one is that is being built."""

import re
from dataclasses import dataclass

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.blockers import blocker, told
from headway.facts import IndexBuilding
from headway.operations.index_sql import Wanted
from headway.operations.index_state import Index
from headway.operations.tables import COPY, UNTOLD, Table, copy_of
from headway.statements import PLAIN, execute, literal, quoted, rows, sqlstate

# A role without pg_monitor does not see which index another role builds: then the lock of its table tells.
_INDEXES = """
SELECT i.oid::bigint, i.relname::text, quote_ident(n.nspname) || '.' || quote_ident(i.relname), t.oid::bigint,
  quote_ident(m.nspname) || '.' || quote_ident(t.relname), x.indisvalid, x.indisunique, pg_get_indexdef(i.oid),
  (SELECT min(p.pid) FROM pg_stat_progress_create_index p
   WHERE p.datname = current_database() AND (p.index_relid = i.oid OR p.index_relid IS NULL AND EXISTS (
     SELECT 1 FROM pg_locks l WHERE l.pid = p.pid AND l.granted AND l.relation = t.oid
     AND l.mode = 'ShareUpdateExclusiveLock'))),
  (SELECT h.inhparent::bigint FROM pg_inherits h WHERE h.inhrelid = i.oid),
  (SELECT k.conname::text FROM pg_constraint k WHERE k.conindid = i.oid AND k.conrelid = t.oid LIMIT 1),
  i.relkind = 'I'
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace m ON m.oid = t.relnamespace
WHERE {which} ORDER BY i.relname
"""
_DEFINITION = f"""
SELECT pg_get_indexdef(x.indexrelid), quote_ident(c.relname) FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
WHERE x.indexrelid = to_regclass('pg_temp.{COPY}_index')
"""
_PROGRESS = """
SELECT p.phase, p.lockers_total, p.lockers_done, p.blocks_total, p.blocks_done, p.tuples_total, p.tuples_done
FROM pg_stat_progress_create_index p WHERE p.pid = {pid}
"""
_WAITED_FOR = """
SELECT b.pid, b.application_name, b.backend_type, b.state, b.query,
  extract(epoch FROM clock_timestamp() - coalesce(b.xact_start, b.state_change))::int
FROM pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) AS f(pid) JOIN pg_stat_activity b ON b.pid = f.pid
WHERE w.pid = {pid} AND w.wait_event_type = 'Lock' LIMIT 1
"""


def indexes_of(connection: Connection, table: Table, name: str) -> "tuple[Index, ...]":
    """Those of the table, and one of this name elsewhere in its schema."""
    which = f"t.oid = {table.oid} OR i.relname = {literal(name)} AND n.nspname = {literal(table.schema)}"
    return _indexes(connection, which)


def index_named(connection: Connection, name: str, schema: "str | None") -> "Index | None":
    """By the search path where no schema is given."""
    found = _indexes(connection, f"i.oid = to_regclass({literal(quoted(PLAIN, schema, name))})")
    return found[0] if found else None


def _indexes(connection: Connection, which: str) -> "tuple[Index, ...]":
    with connection.begin():
        found = rows(connection, _INDEXES.format(which=which))
    return tuple(
        Index(
            int(oid),
            name,
            its_name,
            int(table_oid),
            table,
            bool(is_valid),
            bare(definition, table, bool(is_unique)),
            None if builder is None else int(builder),
            None if parent is None else int(parent),
            constraint or "",
            bool(is_partitioned),
        )
        for (
            oid, name, its_name, table_oid, table, is_valid, is_unique, definition, builder, parent, constraint,
            is_partitioned,
        ) in found
    )  # fmt: skip


def bare(definition: str, table: str, is_unique: bool) -> str:
    """A definition of ``pg_get_indexdef`` without the names of index and table."""
    for on in (f" ON {table} ", f" ON ONLY {table} "):
        if on in definition:
            return ("UNIQUE " if is_unique else "") + definition.split(on, 1)[1]
    return definition


def definition_wanted(connection: Connection, wanted: Wanted, table: Table) -> "str | None":
    """As the server writes it: the index is made on an empty copy of the table, which is rolled back.

    The copy has the table's name, for columns that are written with it. An index of partitions is tried under
    another name, because on each of them the table's name would mean nothing.

    Takes ``ACCESS SHARE`` on the table for a moment. None for a role that may not make temporary tables, and where an
    expression means the table itself.
    """
    name, untold = (COPY, UNTOLD[:1]) if table.is_partitioned else (table.name, UNTOLD)
    with connection.begin() as transaction:
        try:
            execute(connection, copy_of(table, name))
            execute(connection, wanted.statement(COPY + "_index", name, "pg_temp"))
            ((definition, its_name),) = rows(connection, _DEFINITION)
        except DBAPIError as error:
            if sqlstate(error) not in untold:
                raise
            return None
        finally:
            transaction.rollback()
    on_the_copy = re.compile(rf" ON pg_temp(_\d+)?\.{re.escape(its_name)} ")
    return ("UNIQUE " if wanted.unique else "") + on_the_copy.split(definition, maxsplit=1)[-1]


@dataclass
class Progress:
    """Tells of a build when it has come further: a phase, a per cent, another session that it waits for."""

    index: str
    table: str
    told: "tuple[str, int, str] | None" = None

    def look(self, connection: Connection, pid: int) -> "IndexBuilding | None":
        """What is new of the build by this server process, None when nothing is."""
        found = rows(connection, _PROGRESS.format(pid=pid))
        if not found:
            return None
        phase, *counts = found[0]
        waits = rows(connection, _WAITED_FOR.format(pid=pid))
        percent = percent_of(str(phase), *(int(count or 0) for count in counts))
        now = (str(phase), int(percent), str(waits[0][0]) if waits else "")
        if now == self.told:
            return None
        self.told = now
        waits_for = told(blocker(waits[0])) if waits else ""
        return IndexBuilding(self.index, self.table, str(phase), percent, waits_for)


def percent_of(
    phase: str,
    lockers_total: int,
    lockers_done: int,
    blocks_total: int,
    blocks_done: int,
    tuples_total: int,
    tuples_done: int,
) -> float:
    """How far the present phase is; which counter moves depends on it (PostgreSQL's manual, 28.4.4)."""
    pairs = ((blocks_total, blocks_done), (tuples_total, tuples_done))
    if phase.startswith("waiting for"):
        pairs = ((lockers_total, lockers_done), (0, 0))
    elif "sorting" in phase or "loading" in phase:
        pairs = (pairs[1], pairs[0])
    total, done = next((pair for pair in pairs if pair[0] > 0), (0, 0))
    return round(min(100.0 * done / total, 100.0), 1) if total else 0.0
