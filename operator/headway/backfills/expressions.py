"""What the server itself knows of expressions: which columns they read, and how constant their functions are.

Rule: nothing is guessed from the text. A temporary view of them is made and taken back; the catalog tells
what it depends on, and its stored tree names each function and operator. What the server will not tell counts
as the worst.
"""

from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills.clauses import Clauses
from headway.backfills.known import Asked, Known, Tried
from headway.backfills.orders import Leaf
from headway.backfills.queries import every, one, run

TRIED_ROWS = 100
TRIAL_MS = 2000
TRIAL_LOCK_MS = 100
_VIEW = "headway_expressions"
_READ = """
    SELECT DISTINCT d.refobjsubid FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = CAST('pg_rewrite' AS regclass) AND d.objid = r.oid
    WHERE r.ev_class = CAST(to_regclass('pg_temp.{view}') AS oid) AND d.refobjid = {oid}
"""
_TREE = """(
    SELECT CAST(ev_action AS text) FROM pg_catalog.pg_rewrite
    WHERE ev_class = CAST(to_regclass('pg_temp.{view}') AS oid)
)"""
# A whole row in an expression has no column of its own in the catalog.
_WHOLE_ROW = "SELECT {tree} LIKE '%varattno 0 %'"
_VOLATILE = """
    WITH used AS (SELECT CAST(found[1] AS oid) AS oid
        FROM regexp_matches({tree}, '(?\\:funcid|aggfnoid|winfnoid) (\\d+)', 'g') AS found
        UNION SELECT o.oprcode FROM regexp_matches({tree}, 'opno (\\d+)', 'g') AS found
        JOIN pg_catalog.pg_operator o ON o.oid = CAST(found[1] AS oid))
    SELECT min(CASE provolatile WHEN 'v' THEN 0 WHEN 's' THEN 1 ELSE 2 END)
    FROM used JOIN pg_catalog.pg_proc p USING (oid)
"""
_STABLE_NODES = "SELECT {tree} ~ '\\{{(SQLVALUEFUNCTION|SUBLINK) '"
_LEVELS = ("volatile", "stable", "immutable")


@dataclass(frozen=True)
class Expressions:
    """What is known of them; the defaults allow least."""

    reads_target: bool = True
    volatility: str = "volatile"
    where_reads_target: bool = False
    is_comparable: bool = False


def look(connection: Connection, clauses: Clauses, table: str, oid: int) -> Expressions:
    """In a transaction that is rolled back. ``table``: as FROM names it."""
    with connection.begin() as transaction:
        try:
            numbers = _numbers(connection, oid, clauses.known)
            found = _look(connection, clauses.asked, table, oid, numbers)
        except DBAPIError:
            found = Expressions()
        transaction.rollback()
    if found.volatility != "immutable":
        return found
    return replace(found, is_comparable=_is_comparable(connection, clauses, table))


def _numbers(connection: Connection, oid: int, known: Known) -> "set[int]":
    """Of the columns that change: who reads one that is made from a target reads the target."""
    rows = every(
        connection,
        f"SELECT attname, attnum FROM pg_catalog.pg_attribute WHERE attrelid = {oid} AND attnum > 0",
    )
    names = {*(one.name for one in known.targets), *known.generated}
    return {number for name, number in rows if name in names}


def _look(connection: Connection, asked: Asked, table: str, oid: int, numbers: "set[int]") -> Expressions:
    columns = ", ".join(f"({sql}) AS e{number}" for number, (_, sql) in enumerate(asked.assignments))
    run(connection, f"CREATE TEMP VIEW {_VIEW} AS SELECT {columns} FROM {table}")
    reads = _reads(connection, _VIEW, oid, numbers)
    volatility = _volatility(connection)
    if not asked.where:
        return Expressions(reads, volatility)
    run(connection, f"CREATE TEMP VIEW {_VIEW}_where AS SELECT 1 AS one FROM {table} WHERE {asked.where}")
    return Expressions(reads, volatility, _reads(connection, f"{_VIEW}_where", oid, numbers))


def _reads(connection: Connection, view: str, oid: int, numbers: "set[int]") -> bool:
    tree = _TREE.format(view=view)
    read = {number for (number,) in every(connection, _READ.format(view=view, oid=oid))}
    return bool(read & numbers) or one(connection, _WHOLE_ROW.format(tree=tree)) != (False,)


def _volatility(connection: Connection) -> str:
    tree = _TREE.format(view=_VIEW)
    (worst,) = one(connection, _VOLATILE.format(tree=tree)) or (None,)
    if one(connection, f"SELECT {tree} LIKE '%NEXTVALUEEXPR%'") != (False,):
        return "volatile"
    is_stable = one(connection, _STABLE_NODES.format(tree=tree)) != (False,)
    return _LEVELS[min(2 if worst is None else int(worst), 1 if is_stable else 2)]


def _is_comparable(connection: Connection, clauses: Clauses, table: str) -> bool:
    with connection.begin() as transaction:
        try:
            run(connection, f"EXPLAIN SELECT 1 FROM {table} WHERE {clauses.distinct}")
            return True
        except DBAPIError:
            return False
        finally:
            transaction.rollback()


def trial(connection: Connection, clauses: Clauses, leaf: Leaf) -> "Tried | None":
    """Update a few rows, count those that the condition still chooses, and take it all back. None: it
    could not be.
    """
    source, where = clauses.source(leaf), clauses.asked.where
    rows = f"SELECT ctid FROM {source} WHERE {where} LIMIT {TRIED_ROWS}"
    update = f"UPDATE {source} SET {clauses.assignments} WHERE ctid = ANY (ARRAY({rows})) AND ({where})"
    with connection.begin() as transaction:
        try:
            run(connection, f"SET LOCAL statement_timeout = {TRIAL_MS}")
            run(connection, f"SET LOCAL lock_timeout = {TRIAL_LOCK_MS}")
            row = one(
                connection,
                f"WITH tried AS ({update} RETURNING ({where}) IS TRUE AS still) "
                "SELECT count(*), count(*) FILTER (WHERE still) FROM tried",
            )
            return None if row is None else Tried(int(row[0]), int(row[1]))
        except DBAPIError:
            return None
        finally:
            transaction.rollback()
