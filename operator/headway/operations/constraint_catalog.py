"""What PostgreSQL's catalog has of a table's constraints, and how the server would write one that is wanted."""

import re

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.operations.constraint_state import Column, Constraint
from headway.operations.tables import COPY, UNTOLD, Table, copy_of
from headway.statements import PLAIN, execute, literal, quoted, rows, sqlstate

REFERENT = "headway_referent"
"""As :data:`headway.operations.tables.COPY`, of the table that a foreign key refers to."""
_REFERENT = re.compile(rf"REFERENCES (pg_temp(_\d+)?\.)?{REFERENT}\(")
_NOT_VALID = " NOT VALID"
_CONSTRAINTS = """
SELECT k.conname::text, pg_get_constraintdef(k.oid), k.convalidated
FROM pg_constraint k WHERE k.conrelid = {oid} AND k.contype IN ('c', 'f') ORDER BY 1
"""
_UNIQUE_COLUMNS = "ALTER TABLE pg_temp.{referent} ADD UNIQUE ({columns})"
_DEFINITION = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = to_regclass({copy}) AND contype IN ('c', 'f') AND conname = {name}
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
    """A check's definition as the server writes it; ``statement`` adds it to a table of this name in ``pg_temp``.

    The copy of the table is empty and rolled back; takes ``ACCESS SHARE`` on the table for a moment. None for a role
    that may not make temporary tables, and where the condition means the table itself.
    """
    return _on_copies(connection, table.name, name, (copy_of(table, table.name), statement))


def foreign_key_wanted(
    connection: Connection, table: Table, referent: Table, columns: str, name: str, statement: str
) -> "str | None":
    """The same for a foreign key to ``pg_temp.headway_referent``, whose ``columns`` (quoted) it refers to."""
    unique = _UNIQUE_COLUMNS.format(referent=REFERENT, columns=columns)
    copies = (copy_of(table, COPY), copy_of(referent, REFERENT))
    made = _on_copies(connection, COPY, name, (*copies, unique, statement))
    return None if made is None else _REFERENT.sub(lambda _: f"REFERENCES {referent.quoted}(", made)


def _on_copies(connection: Connection, copy: str, name: str, statements: "tuple[str, ...]") -> "str | None":
    which = {"copy": literal(quoted(PLAIN, "pg_temp", copy)), "name": literal(name)}
    with connection.begin() as transaction:
        try:
            for statement in statements:
                execute(connection, statement)
            rows(connection, _EVERYTHING_QUALIFIED)
            ((definition,),) = rows(connection, _DEFINITION.format(**which))
        except DBAPIError as error:
            if sqlstate(error) not in UNTOLD:
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
