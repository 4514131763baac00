"""What PostgreSQL's catalog has of a table's constraints, and how the server would write one that is wanted."""

import re

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.operations.constraint_state import Column, Constraint
from headway.operations.tables import Table
from headway.statements import execute, literal, rows, sqlstate

COPY = "headway_copy"
REFERENT = "headway_referent"
"""Temporary tables that never are committed."""
_REFERENT = re.compile(rf"REFERENCES (pg_temp(_\d+)?\.)?{REFERENT}\(")
_NOT_VALID = " NOT VALID"
_CONSTRAINTS = """
SELECT k.conname::text, pg_get_constraintdef(k.oid), k.convalidated
FROM pg_constraint k WHERE k.conrelid = {oid} AND k.contype IN ('c', 'f') ORDER BY 1
"""
_UNIQUE_COLUMNS = "ALTER TABLE pg_temp.{referent} ADD UNIQUE ({columns})"
_DEFINITION = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = to_regclass('pg_temp.{copy}') AND contype IN ('c', 'f') AND conname = {name}
"""
_REFERS_TO = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_constraint k
JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.conrelid = {oid} AND k.conname = {name}
"""
_COLUMN = """
SELECT quote_ident(a.attname), a.attnotnull, coalesce((SELECT k.conname::text FROM pg_constraint k
  WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated), '')
FROM pg_attribute a
WHERE a.attrelid = {oid} AND a.attname = {column} AND a.attnum > 0 AND NOT a.attisdropped
"""
# So that names of other tables are written with their schema, whatever the search path is.
_EVERYTHING_QUALIFIED = "SELECT set_config('search_path', '', true)"


def constraints_of(connection: Connection, table: Table) -> "tuple[Constraint, ...]":
    """Its checks and foreign keys."""
    with connection.begin():
        rows(connection, _EVERYTHING_QUALIFIED)
        found = rows(connection, _CONSTRAINTS.format(oid=table.oid))
    return tuple(
        Constraint(name, definition.removesuffix(_NOT_VALID), bool(is_valid))
        for name, definition, is_valid in found
    )


def check_wanted(connection: Connection, table: Table, name: str, statement: str) -> "str | None":
    """A check's definition as the server writes it; ``statement`` adds it to ``pg_temp.headway_copy``.

    The copy of the table is empty and rolled back; takes ``ACCESS SHARE`` on the table for a moment. None for a role
    that may not make temporary tables.
    """
    return _on_copies(connection, name, (_copy(COPY, table), statement))


def foreign_key_wanted(
    connection: Connection, table: Table, referent: Table, columns: str, name: str, statement: str
) -> "str | None":
    """The same for a foreign key to ``pg_temp.headway_referent``, whose ``columns`` (quoted) it refers to."""
    unique = _UNIQUE_COLUMNS.format(referent=REFERENT, columns=columns)
    made = _on_copies(connection, name, (_copy(COPY, table), _copy(REFERENT, referent), unique, statement))
    quoted = referent.quoted
    return None if made is None else _REFERENT.sub(lambda _: f"REFERENCES {quoted}(", made)


def _copy(name: str, table: Table) -> str:
    return f"CREATE TEMPORARY TABLE {name} (LIKE {table.quoted}) ON COMMIT DROP"


def _on_copies(connection: Connection, name: str, statements: "tuple[str, ...]") -> "str | None":
    with connection.begin() as transaction:
        try:
            for statement in statements:
                execute(connection, statement)
            rows(connection, _EVERYTHING_QUALIFIED)
            ((definition,),) = rows(connection, _DEFINITION.format(copy=COPY, name=literal(name)))
        except DBAPIError as error:
            if sqlstate(error) != "42501":
                raise
            return None
        finally:
            transaction.rollback()
    return str(definition).removesuffix(_NOT_VALID)


def referent_of(connection: Connection, table: Table, name: str) -> str:
    """The table (quoted) that a foreign key refers to, "" for other constraints and for none."""
    with connection.begin():
        found = rows(connection, _REFERS_TO.format(oid=table.oid, name=literal(name)))
    return str(found[0][0]) if found else ""


def column_of(connection: Connection, table: Table, name: str) -> "Column | None":
    """A column by its name, None when there is none."""
    with connection.begin():
        found = rows(connection, _COLUMN.format(oid=table.oid, column=literal(name)))
    return Column(found[0][0], bool(found[0][1]), found[0][2]) if found else None
