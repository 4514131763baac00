"""Constraints elsewhere than on PostgreSQL: Alembic's own operations, and its batch mode where SQLite needs it."""

from collections.abc import Sequence
from typing import Any

from headway.place import Place


def add_check(place: Place, name: "str | None", table: str, condition: Any, schema: "str | None") -> None:
    """SQLite has no ALTER for it: Alembic makes the table anew."""
    if place.dialect.name != "sqlite":
        place.operations.create_check_constraint(name, table, condition, schema=schema)
        return
    given: Any = name
    with place.operations.batch_alter_table(table, schema=schema) as batch:
        batch.create_check_constraint(given, condition)


def add_foreign_key(
    place: Place,
    name: "str | None",
    tables: "tuple[str, str]",
    columns: "tuple[Sequence[str], Sequence[str]]",
    schemas: "tuple[str | None, str | None]",
    options: "dict[str, Any]",
) -> None:
    """``tables``, ``columns``, ``schemas``: of the referencing table and of the other one."""
    given: Any = name
    local, remote = (list(one) for one in columns)
    if place.dialect.name != "sqlite":
        place.operations.create_foreign_key(
            given, *tables, local, remote, source_schema=schemas[0], referent_schema=schemas[1], **options
        )
        return
    with place.operations.batch_alter_table(tables[0], schema=schemas[0]) as batch:
        batch.create_foreign_key(given, tables[1], local, remote, referent_schema=schemas[1], **options)


def drop_constraint(place: Place, name: str, table: str, kind: "str | None", schema: "str | None") -> None:
    """MySQL needs the kind."""
    if place.dialect.name != "sqlite":
        place.operations.drop_constraint(name, table, type_=kind, schema=schema)
        return
    with place.operations.batch_alter_table(table, schema=schema) as batch:
        batch.drop_constraint(name, type_=kind)
