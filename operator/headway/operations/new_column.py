"""A column that is to be added: what of it the first statement may have, and what comes later."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import Column, CreateColumn

from headway.operations.tables import COPY
from headway.statements import PLAIN, execute, literal, quoted, rows, sqlstate

_TYPE = """
SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
WHERE a.attrelid = {table} AND a.attname = {column} AND a.attnum > 0 AND NOT a.attisdropped
"""


@dataclass(frozen=True)
class NewColumn:
    """The column as the model has it; raises :class:`ValueError` for what needs an operation of its own."""

    column: "Column[Any]"

    def __post_init__(self) -> None:
        given = (
            (self.column.primary_key, "primary_key", "a key needs a table of its own making"),
            (self.column.unique, "unique", "use create_index_concurrently(unique=True) after it"),
            (self.column.index, "index", "use create_index_concurrently() after it"),
            (bool(self.column.foreign_keys), "ForeignKey", "use add_foreign_key_online() after it"),
            (self.column.computed is not None, "Computed", "it would rewrite the table"),
            (self.column.identity is not None, "Identity", "it would rewrite the table"),
        )
        wrong = [f"{name}: {advice}" for is_given, name, advice in given if is_given]
        if wrong:
            raise ValueError(
                f"The column {self.column.name} cannot be added in a table that is in use with {'; '.join(wrong)}."
            )

    @property
    def name(self) -> str:
        """Of the column."""
        return str(self.column.name)

    @property
    def quoted(self) -> str:
        """As a statement has it."""
        return quoted(PLAIN, self.name)

    @property
    def type(self) -> str:
        """As a statement has it."""
        return str(self.column.type.compile(dialect=PLAIN))

    @property
    def is_nullable(self) -> bool:
        """At the end."""
        return bool(self.column.nullable)

    def bare(self) -> "Column[Any]":
        """Nullable and without a default, so that no row is touched."""
        return Column(self.name, self.column.type, nullable=True, comment=self.column.comment)

    def definition(self) -> str:
        """Name and type."""
        bare = self.bare()
        Table("t", MetaData(), bare)
        return str(CreateColumn(bare).compile(dialect=PLAIN)).strip()

    def default(self) -> "str | None":
        """The server default as SQL."""
        given: Any = getattr(self.column.server_default, "arg", None)
        copy: Column[Any] = Column(self.name, self.column.type, server_default=given)
        Table("t", MetaData(), copy)
        compiler: Any = PLAIN.ddl_compiler(PLAIN, None)  # type: ignore[arg-type]
        found: str | None = compiler.get_column_default_string(copy)
        return found

    def additions(self, table: str) -> "tuple[str, ...]":
        """The statements; the default is set apart, so that the rows that are there stay NULL."""
        statements = [f"ALTER TABLE {table} ADD COLUMN {self.definition()}"]
        default = self.default()
        if default is not None:
            statements.append(f"ALTER TABLE {table} ALTER COLUMN {self.quoted} SET DEFAULT {default}")
        if self.column.comment:
            comment = literal(self.column.comment)
            statements.append(f"COMMENT ON COLUMN {table}.{self.quoted} IS {comment}")
        return tuple(statements)


def type_of(connection: Connection, oid: int, column: str) -> "str | None":
    """As the server writes it, None when there is no such column."""
    with connection.begin():
        found = rows(connection, _TYPE.format(table=oid, column=literal(column)))
    return str(found[0][0]) if found else None


def type_wanted(connection: Connection, new: NewColumn) -> "str | None":
    """As the server writes it, from a temporary table that is rolled back; None without the right to make one."""
    with connection.begin() as transaction:
        try:
            execute(connection, f"CREATE TEMPORARY TABLE {COPY} ({new.definition()}) ON COMMIT DROP")
            table = f"to_regclass('pg_temp.{COPY}')"
            ((found,),) = rows(connection, _TYPE.format(table=table, column=literal(new.name)))
        except DBAPIError as error:
            if sqlstate(error) != "42501":
                raise
            return None
        finally:
            transaction.rollback()
    return str(found)
