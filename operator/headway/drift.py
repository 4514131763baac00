"""Autogenerate and ``alembic check`` do not see what an operation leaves between its steps.

Between expand and contract a table has two columns for one, and copies of indexes and constraints. A model has one of
them, or both; what it does not have is taken out of the differences again. Only tables with our triggers are
concerned.
"""

import logging
from dataclasses import dataclass
from typing import Any

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy.engine import Connection

from headway.statements import rows
from headway.sync.names import literal
from headway.sync.pair import MARKED, mark_of

CHECKPOINTS = "headway_backfill"
"""The table in which backfills keep where they are."""
# One row for each trigger; whatever hangs on either column, in the table itself or referring to it.
PAIRS = """
    SELECT DISTINCT n.nspname, c.relname, c.oid::bigint, pg_catalog.obj_description(t.tgfoid, 'pg_proc')
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND pg_catalog.obj_description(t.tgfoid, 'pg_proc') LIKE {marked}
"""
NAMES = """
    WITH a AS (SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = {oid} AND attname IN ({columns}))
    SELECT n.nspname, c.relname, x.relname
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE i.indrelid = {oid} AND EXISTS (
        SELECT FROM a WHERE a.attnum = ANY (i.indkey::int2[]) OR EXISTS (
            SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
              AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = {oid} AND d.refobjsubid = a.attnum))
    UNION
    SELECT n.nspname, c.relname, k.conname
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE EXISTS (SELECT FROM a WHERE (k.conrelid = {oid} AND a.attnum = ANY (k.conkey))
                                   OR (k.confrelid = {oid} AND a.attnum = ANY (k.confkey)))
"""


@dataclass(frozen=True)
class Left:
    """What operations have left in a database."""

    default_schema: str
    columns: frozenset[tuple[str, str, str]] = frozenset()
    """Schema, table and column."""
    names: frozenset[tuple[str, str, str]] = frozenset()
    """Schema, table, and the name of an index or constraint."""

    def place(self, schema: str | None, table: str, name: str) -> tuple[str, str, str]:
        """As the members of these sets."""
        return (schema or self.default_schema, table, name)


def hide(context: AutogenContext, upgrade: ops.UpgradeOps, schemas: Any) -> None:
    """Take out of the differences what operations have left; called by Alembic after it has compared the tables."""
    connection = context.connection
    if connection is None or connection.dialect.name != "postgresql":
        return
    left = read_left(connection, context)
    upgrade.ops = [one for one in upgrade.ops if not _is_checkpoints(one)]
    for operation in upgrade.ops:
        if isinstance(operation, ops.ModifyTableOps):
            operation.ops = [one for one in operation.ops if not is_left(left, one)]
    upgrade.ops = [one for one in upgrade.ops if not isinstance(one, ops.ModifyTableOps) or one.ops]


def is_left(left: Left, operation: ops.MigrateOperation) -> bool:
    """The operation would remove what is to stay until the contract step."""
    if isinstance(operation, ops.DropColumnOp):
        return left.place(operation.schema, operation.table_name, operation.column_name) in left.columns
    if isinstance(operation, ops.DropIndexOp):
        return (
            left.place(operation.schema, operation.table_name or "", str(operation.index_name)) in left.names
        )
    if isinstance(operation, ops.DropConstraintOp):
        return (
            left.place(operation.schema, operation.table_name, str(operation.constraint_name)) in left.names
        )
    return False


def _is_checkpoints(operation: ops.MigrateOperation) -> bool:
    return isinstance(operation, ops.DropTableOp) and operation.table_name == CHECKPOINTS


def read_left(connection: Connection, context: AutogenContext) -> Left:
    """From the catalog, by the comments on our functions; reads only."""
    default = connection.dialect.default_schema_name or "public"
    columns: set[tuple[str, str, str]] = set()
    names: set[tuple[str, str, str]] = set()
    for schema, table, oid, comment in rows(connection, PAIRS.format(marked=literal(MARKED + "%"))):
        mark = mark_of(comment)
        modelled = _modelled(context, None if schema == default else schema, table)
        if mark is None or not modelled & {mark.old, mark.new}:
            # Nothing of it is in the models, so its loss is a difference like any other.
            continue
        hidden = {mark.old, mark.new} - modelled
        columns |= {(schema, table, one) for one in hidden}
        concerned = ", ".join(literal(one) for one in sorted(hidden | {mark.new}))
        names |= {
            (row[0], row[1], row[2]) for row in rows(connection, NAMES.format(oid=oid, columns=concerned))
        }
    return Left(default, frozenset(columns), frozenset(names))


def _modelled(context: AutogenContext, schema: str | None, table: str) -> set[str]:
    key = table if schema is None else f"{schema}.{table}"
    found = context.table_key_to_table.get(key)
    return set() if found is None else {column.name for column in found.columns}


def register() -> None:
    """Make it known to Alembic; again is harmless."""
    if not _REGISTERED:
        _REGISTERED.append(True)
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(is_no_word_of_checkpoints)
        comparators.dispatch_for("schema", **_last())(hide)


def is_no_word_of_checkpoints(record: logging.LogRecord) -> bool:
    """Alembic tells of each table that it would remove before anybody can take the removal back."""
    return not (str(record.msg).startswith("Detected removed table") and CHECKPOINTS in record.getMessage())


_LOGGERS = ("alembic.autogenerate.compare", "alembic.autogenerate.compare.tables")
"""The second one from Alembic 1.17 on."""
_REGISTERED: list[bool] = []


def _last() -> dict[str, Any]:
    """From Alembic 1.18 on an order is asked for; before, it is that of the registration."""
    try:
        from alembic.util import DispatchPriority
    except ImportError:
        return {}
    return {"priority": DispatchPriority.LAST}
