"""What SQLAlchemy tells of a table on databases other than PostgreSQL."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills.known import (
    Asked,
    Column,
    Known,
    NoSuchColumn,
    NoSuchKey,
    NoSuchTable,
    NotPossible,
    names_a_target,
    names_one_of,
)
from headway.backfills.orders import Leaf
from headway.backfills.queries import name_in, one
from headway.backfills.sizes import USUAL_ROW_BYTES

_MYSQL = """
    SELECT t.table_rows, t.engine, e.transactions, t.avg_row_length FROM information_schema.tables t
    LEFT JOIN information_schema.engines e ON e.engine = t.engine
    WHERE t.table_schema = coalesce(:schema, database()) AND t.table_name = :name
"""


def read(connection: Connection, asked: Asked) -> Known:
    """Inside a transaction; raises :class:`NoSuchTable`, :class:`NoSuchColumn`, :class:`NoSuchKey`,
    :class:`NotPossible` and what the driver raises.
    """
    inspector: Any = sa.inspect(connection)
    if not inspector.has_table(asked.table, schema=asked.schema):
        raise NoSuchTable(
            f"There is no table {asked.table}. Check its name and schema, and that an earlier revision creates it."
        )
    columns = {column["name"]: column for column in inspector.get_columns(asked.table, schema=asked.schema)}
    missing = [name for name in asked.columns if name not in columns]
    if missing:
        raise NoSuchColumn(
            f"{asked.table} has no column {', '.join(missing)}. Check the name, and that the column is added "
            "before its backfill."
        )
    keys = _keys(inspector, asked, columns)
    key_name, key = _key(asked, keys)
    schema = asked.schema or ""
    rows, row_bytes = _rows(connection, asked)
    generated = _generated(asked, columns)
    return Known(
        dialect=connection.dialect.name,
        schema=schema,
        table=asked.table,
        leaves=(Leaf(schema, asked.table, rows=rows, row_bytes=row_bytes),),
        targets=tuple(Column(name) for name in asked.columns),
        key=key,
        key_name=key_name,
        keys=keys,
        generated=generated,
        reads_target=names_a_target(asked, generated),
    )


def _generated(asked: Asked, columns: "dict[str, Any]") -> "tuple[str, ...]":
    """By their texts; one may be made from another."""
    texts = {name: one["computed"]["sqltext"] for name, one in columns.items() if one.get("computed")}
    found: tuple[str, ...] = ()
    for _ in texts:
        found = tuple(name for name in texts if names_one_of((*asked.columns, *found), texts[name]))
    return found


def _keys(
    inspector: Any, asked: Asked, columns: "dict[str, Any]"
) -> "tuple[tuple[str, tuple[Column, ...]], ...]":
    """As on PostgreSQL: the primary key, then unique ones without NULL."""
    primary = tuple(inspector.get_pk_constraint(asked.table, schema=asked.schema)["constrained_columns"])
    unique = [
        (f"the unique index {index['name']}", tuple(index["column_names"]))
        for index in inspector.get_indexes(asked.table, schema=asked.schema)
        if index["unique"] and None not in index["column_names"]
    ]
    unique += [
        (f"the unique constraint on {', '.join(one['column_names'])}", tuple(one["column_names"]))
        for one in inspector.get_unique_constraints(asked.table, schema=asked.schema)
    ]
    keys = [("the primary key", primary)] if primary else []
    keys += sorted(unique, key=lambda found: (len(found[1]), found[0]))
    return tuple(
        (told, tuple(Column(name, mark=_mark(name, columns[name]["type"])) for name in names))
        for told, names in keys
        if names == primary or not any(columns[column]["nullable"] for column in names)
    )


def _mark(name: str, kind: Any) -> str:
    """Integers among each other, and texts of one collation, are in the same order."""
    if isinstance(kind, sa.Integer):
        return f"{name} integer"
    if isinstance(kind, sa.String):
        return f"{name} text {kind.collation or ''}".rstrip()
    return f"{name} {type(kind).__name__}"


def _key(
    asked: Asked, keys: "tuple[tuple[str, tuple[Column, ...]], ...]"
) -> "tuple[str, tuple[Column, ...]]":
    """The one that is asked for, else the first one."""
    for told, columns in keys:
        if not asked.key or tuple(one.name for one in columns) == asked.key:
            return told, columns
    if asked.key:
        raise NoSuchKey(
            f"{asked.table} has no unique key on ({', '.join(asked.key)}), in this order and without NULL. Name the "
            "columns of one that there is, or leave key= away."
        )
    return "", ()


def _rows(connection: Connection, asked: Asked) -> "tuple[int, float]":
    """How many and how wide: an estimate that costs nothing. The width is that with large columns, for the whole row
    goes to the binary log.
    """
    if connection.dialect.name == "sqlite":
        table = name_in(connection.dialect, asked.schema, asked.table)
        try:
            rows = int((one(connection, f"SELECT max(rowid) FROM {table}") or (0,))[0] or 0)
        except DBAPIError:
            # A table WITHOUT ROWID.
            rows = 0
        return rows, USUAL_ROW_BYTES
    row = one(connection, _MYSQL, schema=asked.schema, name=asked.table)
    if row is not None and row[2] != "YES":
        raise NotPossible(
            f"{asked.table} is stored by {row[1]}, which has no transactions, so a batch and its checkpoint "
            "cannot be written together. Convert the table to InnoDB first."
        )
    rows, _, _, width = row or (0, "", "", 0)
    return int(rows or 0), float(width or 0) or USUAL_ROW_BYTES
