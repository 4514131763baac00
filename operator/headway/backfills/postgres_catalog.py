"""What PostgreSQL's catalog says of a table that is to be filled."""

from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from headway.backfills import expressions
from headway.backfills.clauses import Clauses
from headway.backfills.known import Asked, Column, Known, NoSuchColumn, NoSuchKey, NoSuchTable, NotPossible
from headway.backfills.orders import Leaf
from headway.backfills.queries import every, name_in, one
from headway.statements import quoted

BLOCK_BYTES = 8192
ROW_BYTES = 28
"""Header and pointer of a row."""
ROOM_BYTES = 8168
"""What a block has for rows."""
SAMPLED_BLOCKS = 64
CORRELATED = 0.05
"""Of the order of an index with that of the blocks; below it, neighbours in the one lie anywhere in the other.
Numbers as texts come to more, in runs of neighbours.
"""
FEW_VALUES = 1000
"""An index of fewer keeps equal ones together whatever the order is."""
OLD_SECONDS = 30
TID_RANGES = 140000
"""The first version that reads a range of blocks without reading the whole table, and has a hash of row
identifiers.
"""

_TREE = """
    WITH RECURSIVE tree AS (SELECT CAST({oid} AS oid) AS oid
        UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON tree.oid = i.inhparent)
    SELECT c.oid, n.nspname, c.relname, CAST(c.relkind AS text), coalesce(a.amname, ''), c.reltuples, c.relpages,
        CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) ELSE 0 END
        / CAST(current_setting('block_size') AS bigint), coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)
    FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam ORDER BY c.oid
"""
# For this role; a statement that names a partition obeys the policies of that partition.
_HIDING = """
    SELECT CAST(CAST(oid AS regclass) AS text) FROM pg_catalog.pg_class
    WHERE oid IN ({oids}) AND row_security_active(oid)
"""
# Of each column also its mark: integers among each other, and texts, are in the same order.
_KEYS = """
    SELECT i.relname, x.indisprimary, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint n WHERE n.conrelid = a.attrelid
            AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum] AND NOT n.convalidated),
        concat_ws(' ', a.attnum, CASE WHEN a.atttypid IN (20, 21, 23) THEN 'integer' WHEN a.atttypid IN (25, 1043)
            THEN 'text' ELSE format_type(a.atttypid, NULL) END, (SELECT concat(CAST(o.collnamespace AS regnamespace),
            '.', o.collname) FROM pg_catalog.pg_collation o WHERE o.oid = a.attcollation))
    FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    CROSS JOIN LATERAL unnest(CAST(x.indkey AS smallint[])) WITH ORDINALITY AS k(attnum, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
    WHERE x.indrelid = {oid} AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
        AND k.place <= x.indnkeyatts
    ORDER BY NOT x.indisprimary, x.indnkeyatts, i.relname, k.place
"""
_INDEXES = """
    SELECT DISTINCT c.relname FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = c.relam
    JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attname = ANY (:names)
    WHERE x.indrelid = {oid}
        AND NOT (m.amname = 'brin' AND CAST(current_setting('server_version_num') AS int) >= 160000)
        AND (a.attnum = ANY (CAST(x.indkey AS smallint[])) OR EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = CAST('pg_class' AS regclass) AND d.objid = x.indexrelid AND d.refobjid = x.indrelid
            AND d.refobjsubid = a.attnum))
    ORDER BY c.relname
"""
# Which of the two objects depends on the columns that an expression names is a matter of the version.
_GENERATED = """
    SELECT DISTINCT g.attname FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attribute t ON t.attrelid = d.refobjid AND t.attnum = d.refobjsubid
    LEFT JOIN pg_catalog.pg_attrdef e ON d.classid = CAST('pg_attrdef' AS regclass) AND e.oid = d.objid
    JOIN pg_catalog.pg_attribute g ON g.attrelid = d.refobjid
        AND g.attnum = CASE WHEN e.oid IS NOT NULL THEN e.adnum ELSE d.objsubid END
    WHERE d.refclassid = CAST('pg_class' AS regclass) AND d.refobjid IN ({oids}) AND t.attname = ANY (:names)
        AND (e.adrelid = d.refobjid OR (d.classid = CAST('pg_class' AS regclass) AND d.objid = d.refobjid))
        AND g.attnum > 0 AND g.attnum <> t.attnum
    ORDER BY g.attname
"""
_SCATTERED = """
    SELECT i.relname FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = i.relam AND m.amname = 'btree'
    JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
    JOIN pg_catalog.pg_stats s ON s.schemaname = :schema AND s.tablename = :name AND s.attname = a.attname
    WHERE x.indrelid = {oid} AND NOT s.inherited AND abs(s.correlation) < {least}
        AND s.n_distinct NOT BETWEEN 0 AND {few}
    ORDER BY i.relname LIMIT 1
"""
_PARTITION_KEYS = """
    SELECT DISTINCT a.attname FROM pg_catalog.pg_partitioned_table p
    JOIN pg_catalog.pg_depend d ON d.classid = CAST('pg_class' AS regclass) AND d.objid = p.partrelid
        AND d.refobjid = p.partrelid AND d.objsubid > 0 AND d.deptype = 'i'
    JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = d.objsubid
    WHERE p.partrelid IN ({oids}) ORDER BY a.attname
"""
_OLD = f"""
    SELECT 'a transaction of pid ' || pid FROM pg_catalog.pg_stat_activity
    WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
        AND xact_start < clock_timestamp() - interval '{OLD_SECONDS} s'
        AND (datname = current_database() OR datname IS NULL)
    UNION ALL SELECT 'the prepared transaction ' || gid FROM pg_catalog.pg_prepared_xacts
    WHERE prepared < clock_timestamp() - interval '{OLD_SECONDS} s'
    UNION ALL SELECT 'the replication slot ' || slot_name FROM pg_catalog.pg_replication_slots
    WHERE xmin IS NOT NULL AND age(xmin) > 1000
    LIMIT 1
"""


def read(connection: Connection, asked: Asked) -> Known:
    """Without the expressions; raises :class:`NoSuchTable`, :class:`NoSuchColumn`, :class:`NoSuchKey`,
    :class:`NotPossible` and what the driver raises.
    """
    return _read(connection, asked)


def with_expressions(connection: Connection, asked: Asked, known: Known) -> Known:
    """With what is known of them; a few rows are updated for a trial, which is taken back."""

    def quote(name: str) -> str:
        return name_in(connection.dialect, name)

    clauses = Clauses(asked, known, "", quote)
    found = expressions.look(connection, clauses, f"{quote(known.schema)}.{quote(known.table)}", known.oid)
    known = replace(
        known,
        reads_target=found.reads_target,
        volatility=found.volatility,
        where_reads_target=found.where_reads_target,
        is_comparable=found.is_comparable,
    )
    if not found.where_reads_target or not known.leaves:
        return known
    return replace(known, tried=expressions.trial(connection, clauses, known.leaves[0]))


def _read(connection: Connection, asked: Asked) -> Known:
    schema, table, oid = _resolved(connection, asked)
    tree = every(connection, _TREE.format(oid=oid))
    attributes = every(
        connection,
        "SELECT attname, format_type(atttypid, atttypmod), attnum, attstorage IN ('e', 'x') "
        f"FROM pg_catalog.pg_attribute WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped",
    )
    targets = _targets(asked, table, {name: (kind, number) for name, kind, number, _ in attributes})
    keys = _keys(every(connection, _KEYS.format(oid=oid)))
    key_name, key = _key(asked, table, keys)
    oids = ", ".join(str(row[0]) for row in tree)
    generated = tuple(
        name for (name,) in every(connection, _GENERATED.format(oids=oids), names=list(asked.columns))
    )
    wide = {name for name, _, _, is_wide in attributes if is_wide}
    writes_toast = not wide.isdisjoint((*asked.columns, *generated))
    leaves = tuple(_leaf(connection, row, writes_toast) for row in tree if row[3] == "r")
    _refuse_hidden_rows(connection, oids)
    leaves = tuple(sorted(leaves, key=lambda leaf: -leaf.rows))
    return Known(
        dialect="postgresql",
        schema=schema,
        table=table,
        oid=oid,
        leaves=leaves,
        targets=tuple(Column(name, kind) for name, kind, _ in targets),
        key=key,
        key_name=key_name,
        keys=keys,
        no_blocks=_no_blocks(connection, tree),
        generated=generated,
        indexes=tuple(
            name for (name,) in every(connection, _INDEXES.format(oid=oid), names=list(asked.columns))
        ),
        partition_keys=tuple(name for (name,) in every(connection, _PARTITION_KEYS.format(oids=oids))),
        filled=_filled(connection, leaves[0]) if leaves else 1.0,
        scattered=_scattered(connection, leaves[0]) if leaves else "",
        old_snapshot=str((one(connection, _OLD) or ("",))[0]),
        signature=f"{oid}:{','.join(str(number) for _, _, number in targets)}",
    )


def _refuse_hidden_rows(connection: Connection, oids: str) -> None:
    found = ", ".join(name for (name,) in every(connection, _HIDING.format(oids=oids)))
    if found:
        raise NotPossible(
            f"Row level security hides rows of {found} from this role, so they would be left without a word. Nothing "
            "was changed. Run the migration as a role with BYPASSRLS, or as the table's owner without FORCE ROW "
            "LEVEL SECURITY."
        )


def _resolved(connection: Connection, asked: Asked) -> "tuple[str, str, int]":
    name = quoted(connection.dialect, asked.schema, asked.table)
    row = one(
        connection,
        "SELECT n.nspname, c.relname, c.oid, CAST(c.relkind AS text) FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(CAST(:name AS text))",
        name=name,
    )
    if row is None:
        raise NoSuchTable(
            f"There is no table {name} for this role and search path. Check its name and schema, and that an earlier "
            "revision creates it."
        )
    if row[3] not in ("r", "p"):
        raise NoSuchTable(f"{name} is no table that rows can be updated in. Name the table itself.")
    return row[0], row[1], int(row[2])


def _targets(
    asked: Asked, table: str, attributes: "dict[str, tuple[str, int]]"
) -> "list[tuple[str, str, int]]":
    missing = [name for name in asked.columns if name not in attributes]
    if missing:
        raise NoSuchColumn(
            f"{table} has no column {', '.join(missing)}. Check the name, and that the column is added "
            "before its backfill."
        )
    return [(name, *attributes[name]) for name in asked.columns]


def _keys(rows: "list[tuple[Any, ...]]") -> "tuple[tuple[str, tuple[Column, ...]], ...]":
    """The primary key, then unique indexes without NULL, those with the fewest columns first."""
    keys: dict[str, list[tuple[Column, bool]]] = {}
    for index, is_primary, column, kind, is_not_null, mark in rows:
        told = "the primary key" if is_primary else f"the unique index {index}"
        keys.setdefault(told, []).append((Column(column, kind, mark), is_not_null))
    return tuple(
        (told, tuple(column for column, _ in columns))
        for told, columns in keys.items()
        if all(is_not_null for _, is_not_null in columns)
    )


def _key(
    asked: Asked, table: str, keys: "tuple[tuple[str, tuple[Column, ...]], ...]"
) -> "tuple[str, tuple[Column, ...]]":
    """The key that is asked for, else the first one."""
    for told, columns in keys:
        if not asked.key or tuple(one.name for one in columns) == asked.key:
            return told, columns
    if asked.key:
        raise NoSuchKey(
            f"{table} has no unique index on ({', '.join(asked.key)}), in this order and without NULL. Name the "
            "columns of one that there is, or leave key= away."
        )
    return "", ()


def _no_blocks(connection: Connection, tree: "list[tuple[Any, ...]]") -> str:
    version, said, has_hash = one(
        connection,
        "SELECT CAST(current_setting('server_version_num') AS int), version(), "
        "to_regprocedure('hashtid(tid)') IS NOT NULL",
    ) or (0, "", False)
    other = [row[4] for row in tree if row[3] == "r" and row[4] != "heap"]
    foreign = [row[2] for row in tree if row[3] not in ("r", "p")]
    if version < TID_RANGES or not has_hash:
        return "PostgreSQL reads ranges of blocks only from version 14 on"
    if not said.startswith("PostgreSQL") or "-YB-" in said:
        return f"{said.split(' on ')[0]} does not keep rows in blocks as PostgreSQL does"
    if other:
        return f"the table is stored as {other[0]}, not as a heap"
    return f"{foreign[0]} is a foreign table" if foreign else ""


def _leaf(connection: Connection, row: "tuple[Any, ...]", writes_toast: bool) -> Leaf:
    """An update keeps what other columns have in TOAST where it is. Where a column is set that may be there itself,
    what rows have there now is the best guess at what comes to it, until the WAL tells.
    """
    oid, schema, name, _, _, tuples, pages, blocks, toast = row
    if tuples > 0 and pages > 0:
        density = tuples / pages
    else:
        density = _sampled(connection, name_in(connection.dialect, schema, name), int(blocks))
    rows, density = max(int(density * blocks), 0), max(density, 1.0)
    toast_bytes = float(toast) / rows if writes_toast and rows else 0.0
    return Leaf(schema, name, int(oid), rows, density, BLOCK_BYTES / density, toast_bytes)


def _filled(connection: Connection, leaf: Leaf) -> float:
    """The share of a block that its rows take; padding is not counted. Source: PostgreSQL's manual, "Database
    Page Layout".
    """
    row = one(
        connection,
        "SELECT sum(avg_width * (1 - null_frac)) FROM pg_catalog.pg_stats "
        "WHERE schemaname = :schema AND tablename = :name AND NOT inherited",
        schema=leaf.schema,
        name=leaf.name,
    )
    if row is None or row[0] is None:
        return 1.0
    return min(1.0, leaf.density * (ROW_BYTES + float(row[0])) / ROOM_BYTES)


def _scattered(connection: Connection, leaf: Leaf) -> str:
    """An index whose entries for the rows of a block lie all over it, by what ANALYZE has seen."""
    query = _SCATTERED.format(oid=leaf.oid, least=CORRELATED, few=FEW_VALUES)
    row = one(connection, query, schema=leaf.schema, name=leaf.name)
    return str(row[0]) if row else ""


def _sampled(connection: Connection, table: str, blocks: int) -> float:
    """Rows in a block, where the catalog has no statistics yet."""
    if blocks == 0:
        return 1.0
    seen = min(blocks, SAMPLED_BLOCKS)
    row = one(connection, f"SELECT count(*) FROM ONLY {table} WHERE ctid < '({seen},0)'")
    return float(row[0]) / seen if row else 1.0
