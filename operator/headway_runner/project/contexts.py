"""Which of several migration contexts it was, and what a transaction that env.py began itself means for one.

An env.py may configure a context for each tenant. What is told of one then names its schema.
"""

import traceback
from dataclasses import replace

from alembic.runtime.migration import MigrationContext

from headway_contract.records import dataclass
from headway_contract.result import Failure
from headway_runner.connections.dbapi import adapter_of, query
from headway_runner.project.alembic_env import is_in_outer_transaction

_USUAL_TABLE = "alembic_version"
_USUAL_SCHEMA = "public"

_TOO_LONG_STATE = "22001"
"""string_data_right_truncation"""
USUAL_WIDTH = 32
"""Characters that Alembic's version table has for a revision."""
TOO_LONG = (
    f"its id is longer than the version table's {USUAL_WIDTH} characters. Shorten it, or widen the column: "
    "ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(255)"
)
NEEDS_ITS_OWN_TRANSACTION = (
    "autocommit_block() has to end Alembic's transaction, but env.py began one itself before context.configure(). "
    "Configure the context with engine.connect() in place of engine.begin(), and commit what env.py does before it"
)


@dataclass(frozen=True)
class Left:
    """A revision that was started and never ended, and why; env.py may hide that and go on elsewhere."""

    revision: str
    place: str
    failure: Failure | None
    kept: tuple[str, ...]


def place_of(context: MigrationContext) -> str:
    """``schema t1``, ``version table v`` or both; empty for a context as most projects have it.

    Begins no transaction. A schema of the version table's own is told whatever it is.
    """
    schema = _own_schema(context) or _unusual_schema(context)
    table = "" if context.version_table == _USUAL_TABLE else context.version_table
    told = (f"schema {schema}" if schema else "", f"version table {table}" if table else "")
    return ", ".join(filter(None, told))


def _own_schema(context: MigrationContext) -> str:
    """Of the version table, where the connection may have another for it."""
    own = context.version_table_schema
    options = {} if context.connection is None else context.connection.get_execution_options()
    return str((options.get("schema_translate_map") or {}).get(own, own) or "")


def _unusual_schema(context: MigrationContext) -> str:
    """The current one, unless it is the one that most databases have."""
    connection = context.connection
    if connection is None or connection.dialect.name != "postgresql":
        return ""
    adapter = adapter_of(connection)
    found = query(adapter, "SELECT current_schema()")[0][0]
    if not connection.in_transaction():
        adapter.commit()
    return "" if found == _USUAL_SCHEMA else str(found or "")


def at(place: str, failure: Failure) -> Failure:
    """The failure with the place where it happened."""
    return replace(failure, message=f"{failure.message} ({place})") if place else failure


def is_too_long(state: str, revision: str) -> bool:
    """The revision itself is done; its name does not fit into the version table."""
    return state == _TOO_LONG_STATE and len(revision) > USUAL_WIDTH


def is_missing_transaction(error: BaseException, context: MigrationContext | None) -> bool:
    """Alembic's bare assertion in ``autocommit_block()``: there is no transaction of its own to end."""
    if not isinstance(error, AssertionError) or context is None or not is_in_outer_transaction(context):
        return False
    return traceback.extract_tb(error.__traceback__)[-1].name == "autocommit_block"
