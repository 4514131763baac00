"""A look at all rows: whether a column can be given up, before anything is.

Locks: ACCESS SHARE on the table; one sequential scan without a time-out. The function that judges a row is temporary.
"""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headway.columns.judge import BEFORE, UNDO, judge
from headway.statements import execute, rows
from headway.sync.body import differs, search_path
from headway.sync.column import Table
from headway.sync.names import dollar_quoted, identifier, literal
from headway.sync.pair import Pair

SHOWN = 10
"""Rows that are named."""
FUNCTION = 'pg_temp."headway_judge"'
KEY = """
    SELECT a.attname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a
    ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
    WHERE i.indrelid = {oid} AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)
"""


@dataclass(frozen=True)
class Finding:
    """Rows of one kind, named by their keys; at most :data:`SHOWN` of all kinds together."""

    kind: str
    keys: tuple[str, ...]


def differing(connection: Connection, table: Table, pair: Pair, purpose: str) -> tuple[Finding, ...]:
    """The rows that are not the same; () when there is none. In a transaction, with ``search_path = pg_catalog``."""
    execute(connection, "SET LOCAL statement_timeout = 0")
    # Rows that a policy hides from the table's owner are an error then, and not overlooked.
    execute(connection, "SET LOCAL row_security = off")
    old, new = identifier(pair.old.name), identifier(pair.new.name)
    if pair.is_copy:
        kind, suspect = literal("differs") + "::text", differs(old, new)
        suspect += f" AND {new} IS NOT NULL" if purpose == UNDO else ""
    else:
        _make_judge(connection, pair, purpose)
        value = f"NULL::{pair.new.type}" if purpose == BEFORE else new
        kind, suspect = f"{FUNCTION}({old}, {value})", _suspect(pair, old, new, purpose)
    found = rows(
        connection,
        f"SELECT kind, key FROM (SELECT {kind} AS kind, {_key(connection, table)} AS key FROM {pair.relation} "
        f"WHERE {suspect} OFFSET 0) AS judged WHERE kind <> 'same' LIMIT {SHOWN}",
    )
    kinds = sorted({kind for kind, _ in found})
    return tuple(Finding(kind, tuple(key for one, key in found if one == kind)) for kind in kinds)


def _suspect(pair: Pair, old: str, new: str, purpose: str) -> str:
    """What is cheap to ask first: where every value converts and comes back, only rows that differ are judged."""
    if purpose == BEFORE or not pair.is_lossless:
        return "true"
    return differs(f"CAST({old} AS {pair.new.type})", new)


def _make_judge(connection: Connection, pair: Pair, purpose: str) -> None:
    execute(
        connection,
        f"CREATE OR REPLACE FUNCTION {FUNCTION}({pair.old.type}, {pair.new.type}) RETURNS text LANGUAGE plpgsql "
        f"{search_path(pair)} AS {dollar_quoted(judge(pair, purpose))}",
    )


def _key(connection: Connection, table: Table) -> str:
    names = [name for (name,) in rows(connection, KEY.format(oid=table.oid))]
    if not names:
        return "'ctid=' || ctid::text"
    return " || ', ' || ".join(
        f"{literal(name + '=')} || coalesce({identifier(name)}::text, 'NULL')" for name in names
    )
