"""What hangs on a column, as the catalog tells it: indexes, constraints, references to it, what stops a DROP.

Definitions are written by the server itself as if the column had the other one's name already: it is renamed in a
savepoint that is rolled back. So expressions, predicates, operator classes and INCLUDE are right without parsing SQL.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from headway.statements import execute, rows
from headway.sync.column import Table
from headway.sync.names import bounded, identifier, literal, qualified

INDEXES = """
    SELECT c.relname, i.indisunique, i.indisvalid, i.indisprimary, i.indisreplident,
           k.conname, k.contype::text, coalesce(k.condeferrable, false), coalesce(k.condeferred, false),
           pg_catalog.pg_get_indexdef(i.indexrelid)
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
    WHERE i.indrelid = {oid} AND ({number} = ANY (i.indkey::int2[]) OR EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = {oid} AND d.refobjsubid = {number}))
    ORDER BY i.indisprimary DESC, c.relname
"""
CONSTRAINTS = """
    SELECT k.conname, k.contype::text, k.convalidated, k.confrelid::bigint,
           pg_catalog.pg_get_constraintdef(k.oid),
           n.nspname, c.relname, c.relkind = 'p'
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE k.conparentid = 0 AND {which}
    ORDER BY n.nspname, c.relname, k.conname
"""
OWN = "k.conrelid = {oid} AND {number} = ANY (k.conkey) AND k.contype IN ('c', 'f')"
# One that has the column on both sides is the table's own, and is copied once.
INCOMING = f"k.confrelid = {{oid}} AND {{number}} = ANY (k.confkey) AND k.contype = 'f' AND NOT ({OWN})"
# What DROP COLUMN would refuse over, or take with it, and that is none of the above.
OTHERS = """
    SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), d.deptype = 'a'
    FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = {oid} AND d.refobjsubid = {number}
      AND NOT (d.classid = 'pg_catalog.pg_class'::regclass
               AND EXISTS (SELECT FROM pg_catalog.pg_class x WHERE x.oid = d.objid AND x.relkind IN ('i', 'I', 'S')))
      AND d.classid <> 'pg_catalog.pg_constraint'::regclass
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attrdef x
                      WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND x.oid = d.objid AND x.adnum = {number})
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger x
                      WHERE d.classid = 'pg_catalog.pg_trigger'::regclass AND x.oid = d.objid
                        AND x.tgname LIKE 'zz\\_headway\\_sync\\_%')
    ORDER BY 1
"""
GRANTS = """
    SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC'
                          ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
           g.privilege_type, g.is_grantable
    FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) g
    WHERE a.attrelid = {oid} AND a.attnum = {number}
"""


@dataclass(frozen=True)
class Index:
    """An index that contains the column, with the constraint that stands on it."""

    name: str
    is_unique: bool
    is_valid: bool
    is_primary: bool
    is_replica_identity: bool
    constraint: str | None
    constraint_kind: str | None
    """p primary key, u unique, x exclusion."""
    is_deferrable: bool
    is_deferred: bool
    definition: str
    """What follows the table's name in CREATE INDEX, for the other column."""


@dataclass(frozen=True)
class Constraint:
    """A check or foreign key of the table over the column, or another foreign key that refers to it."""

    name: str
    kind: str
    """c or f."""
    is_valid: bool
    refers_to: int
    """The oid of the table that a foreign key refers to."""
    definition: str
    """For the other column, without NOT VALID."""
    schema: str
    table: str
    """Whose constraint it is."""
    is_partitioned: bool = False
    """That table."""

    @property
    def relation(self) -> str:
        """The table, quoted."""
        return qualified(self.schema, self.table)


@dataclass(frozen=True)
class Belongings:
    """All of it."""

    indexes: tuple[Index, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    incoming: tuple[Constraint, ...] = ()
    stops: tuple[str, ...] = ()
    """What PostgreSQL would refuse to drop the column over, as it describes it."""
    goes: tuple[str, ...] = ()
    """What would go with the column and is not copied."""
    grants: tuple[tuple[str, str, bool], ...] = ()
    """Grantee, privilege, with grant option: given on the column alone."""


def read_belongings(connection: Connection, table: Table, old: str, number: int, new: str) -> Belongings:
    """In a transaction that holds ACCESS EXCLUSIVE on the table, with ``search_path = pg_catalog`` in force."""
    place = {"oid": table.oid, "number": number}
    ((relation,),) = rows(
        connection,
        f"SELECT pg_catalog.format('%I.%I', {literal(table.schema)}, {literal(table.name)})",
    )
    others = rows(connection, OTHERS.format(**place))
    grants = rows(connection, GRANTS.format(**place))
    with connection.begin_nested() as savepoint:
        rename_for_a_moment(connection, table, old, new)
        found = (
            rows(connection, INDEXES.format(**place)),
            rows(connection, CONSTRAINTS.format(which=OWN.format(**place))),
            rows(connection, CONSTRAINTS.format(which=INCOMING.format(**place))),
        )
        savepoint.rollback()
    return Belongings(
        tuple(_index(row, relation) for row in found[0]),
        tuple(_constraint(row) for row in found[1]),
        tuple(_constraint(row) for row in found[2]),
        tuple(what for what, goes in others if not goes),
        tuple(what for what, goes in others if goes),
        tuple((who, privilege, grantable) for who, privilege, grantable in grants),
    )


def referring(connection: Connection, table: Table, number: int) -> tuple[str, ...]:
    """The tables, quoted, with foreign keys that refer to the column: what a swap locks too. Takes no lock itself."""
    which = INCOMING.format(oid=table.oid, number=number)
    keys = (_constraint(row) for row in rows(connection, CONSTRAINTS.format(which=which)))
    return tuple(sorted({one.relation for one in keys}))


def rename_for_a_moment(connection: Connection, table: Table, old: str, new: str) -> None:
    """In a savepoint that is rolled back; another column named ``new`` has another name meanwhile."""
    relation = qualified(table.schema, table.name)
    taken = rows(
        connection,
        "SELECT 1 FROM pg_catalog.pg_attribute "
        f"WHERE attrelid = {table.oid} AND attname = {literal(new)} AND NOT attisdropped",
    )
    if taken:
        away = bounded(f"headway {new} away")
        execute(connection, f"ALTER TABLE {relation} RENAME COLUMN {identifier(new)} TO {identifier(away)}")
    execute(connection, f"ALTER TABLE {relation} RENAME COLUMN {identifier(old)} TO {identifier(new)}")


def _index(row: "tuple[Any, ...]", relation: str) -> Index:
    definition: str = row[-1]
    for on in (f" ON {relation} ", f" ON ONLY {relation} "):
        if on in definition:
            facts = (*row[:-1], definition.split(on, 1)[1])
            return Index(*facts)
    raise ValueError(f"The server's definition of the index {row[0]} is of an unknown form: {definition}")


def _constraint(row: "tuple[Any, ...]") -> Constraint:
    name, kind, is_valid, refers_to, definition, *place = row
    return Constraint(name, kind, is_valid, int(refers_to), definition.removesuffix(" NOT VALID"), *place)
