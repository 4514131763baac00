"""The table that an operation is for, as PostgreSQL's catalog has it."""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headway.statements import PLAIN, literal, quoted, rows

_TABLE = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({name})
"""
_LEAVES = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text
FROM pg_partition_tree({oid}) p JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.isleaf ORDER BY c.oid
"""
COPY = "headway_copy"
"""How a temporary copy of a table is named that never is committed."""
UNTOLD = ("42501", "42P01", "42883")
"""What the server says of the copy and not of the table: a role may not make it; an expression names the table with
its schema, or gives a row of it to a function."""


class NoSuchTable(Exception):
    """The search path or the schema has no table of this name."""


@dataclass(frozen=True)
class Table:
    """A table that was found."""

    oid: int
    schema: str
    name: str
    is_partitioned: bool

    @property
    def quoted(self) -> str:
        """With its schema, as a statement takes it."""
        return quoted(PLAIN, self.schema, self.name)


def find_table(connection: Connection, name: str, schema: "str | None") -> Table:
    """By the search path where no schema is given; raises :class:`NoSuchTable`."""
    with connection.begin():
        found = rows(connection, _TABLE.format(name=literal(quoted(PLAIN, schema, name))))
    if not found:
        where = f"the schema {schema}" if schema else "the search path"
        raise NoSuchTable(
            f"There is no table {name} in {where}. Create it in an earlier revision, or name its schema."
        )
    ((oid, its_schema, its_name, kind),) = found
    return Table(int(oid), its_schema, its_name, kind == "p")


def leaves_of(connection: Connection, table: Table) -> "tuple[Table, ...]":
    """The partitions that have rows of their own, at whatever depth."""
    with connection.begin():
        found = rows(connection, _LEAVES.format(oid=table.oid))
    return tuple(Table(int(oid), schema, name, False) for oid, schema, name in found)


def copy_of(table: Table, name: str) -> str:
    """The statement that makes an empty temporary copy; takes ``ACCESS SHARE`` on the table for a moment."""
    return f"CREATE TEMPORARY TABLE {quoted(PLAIN, name)} (LIKE {table.quoted}) ON COMMIT DROP"
