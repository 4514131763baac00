"""Which table has a context's heads, so that it can be found again over another connection; and reading it there."""

from dataclasses import replace
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from headway_runner.connections.dbapi import adapter_of, query
from headway_runner.processes.task import VersionTable
from headway_runner.project.alembic_env import version_table_of
from headway_runner.statements.invalid_indexes import literal

_SCHEMA = """
SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({})
"""


def version_table(context: MigrationContext, heads: tuple[str, ...]) -> VersionTable:
    """The table of an online context and the heads in it; begins no SQLAlchemy transaction."""
    schema = context.version_table_schema or _found_in(context)
    return VersionTable(schema, context.version_table, tuple(sorted(heads)))


def as_it_is_found(context: MigrationContext, adapter: Any) -> VersionTable | None:
    """The table of a PostgreSQL context as the driver reads it, or where it will be made; None: nowhere.

    Begins no SQLAlchemy transaction, and leaves the server's to the caller.
    """
    found = query(adapter, _SCHEMA.format(literal(version_table_of(context))))
    if found:
        table = VersionTable(str(found[0][0]), str(context.version_table))
        rows = query(adapter, f"SELECT version_num FROM {table.quoted}")
        return replace(table, heads=tuple(sorted(str(head) for (head,) in rows)))
    schema = context.version_table_schema or query(adapter, "SELECT current_schema()")[0][0]
    return VersionTable(str(schema), str(context.version_table)) if schema else None


def _found_in(context: MigrationContext) -> str:
    """Where PostgreSQL finds a table without a schema: that depends on the connection's search path."""
    connection = context.connection
    if connection is None or connection.dialect.name != "postgresql":
        return ""
    adapter = adapter_of(connection)
    rows = query(adapter, _SCHEMA.format(literal(version_table_of(context))))
    if not connection.in_transaction():
        adapter.commit()
    return str(rows[0][0]) if rows else ""


def read_again(connection: Connection, tables: tuple[VersionTable, ...]) -> tuple[VersionTable, ...]:
    """The same tables as they are now, read by Alembic; one that is not there has no heads."""
    return tuple(_as_it_is(connection, table) for table in tables)


def _as_it_is(connection: Connection, table: VersionTable) -> VersionTable:
    options = {"version_table": table.name, "version_table_schema": table.schema or None}
    heads = MigrationContext.configure(connection, opts=options).get_current_heads()
    return VersionTable(table.schema, table.name, tuple(sorted(map(str, heads))))
