"""What the catalog knows of a column: read in one query, decided upon elsewhere.

Locks: none that a writer notices (ACCESS SHARE on catalogs).
"""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headway.statements import rows
from headway.sync.names import literal

TABLE = """
    SELECT c.oid::bigint, c.relkind::text, c.relispartition,
           c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {schema} AND c.relname = {table} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
# The functions of a default are only in its tree: the catalog keeps no dependency on those that come with the server.
COLUMN = r"""
    SELECT a.attnum::int, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
           a.attidentity::text, a.attgenerated::text, a.attinhcount::int,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid),
           CASE WHEN d.adbin IS NULL THEN NULL ELSE (
               SELECT coalesce(max(CASE p.provolatile WHEN 'v' THEN 2 WHEN 's' THEN 1 ELSE 0 END),
                               CASE WHEN d.adbin::text ~ 'SQLVALUEFUNCTION|COERCEVIAIO' THEN 1 ELSE 0 END)
               FROM pg_catalog.pg_proc p
               WHERE p.oid IN (
                   SELECT m[1]::oid
                   FROM pg_catalog.regexp_matches(d.adbin::text, ':(?:funcid|opfuncid) (\d+)', 'g') AS m
                   UNION ALL
                   SELECT o.oprcode::oid
                   FROM pg_catalog.regexp_matches(d.adbin::text, ':opno (\d+)', 'g') AS m
                   JOIN pg_catalog.pg_operator o ON o.oid = m[1]::oid)
           ) END,
           CASE WHEN a.attcollation <> t.typcollation THEN
               (SELECT pg_catalog.format('%I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation co
                JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END,
           pg_catalog.col_description(a.attrelid, a.attnum),
           EXISTS (SELECT FROM pg_catalog.pg_partitioned_table pt
                   WHERE pt.partrelid = a.attrelid
                     AND (a.attnum = ANY (pt.partattrs::int2[]) OR pt.partexprs IS NOT NULL)),
           pg_catalog.pg_get_serial_sequence(a.attrelid::regclass::text, a.attname),
           EXISTS (SELECT FROM pg_catalog.pg_opclass oc
                   WHERE oc.opcdefault AND oc.opcintype IN (t.oid, t.typbasetype)
                      OR oc.opcdefault AND EXISTS (
                          SELECT FROM pg_catalog.pg_cast ct
                          WHERE ct.castsource = t.oid AND ct.casttarget = oc.opcintype AND ct.castmethod = 'b')),
           coalesce((SELECT k.conname::text FROM pg_catalog.pg_constraint k
                     WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]
                       AND NOT k.convalidated), '')
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = {oid} AND a.attname = {name} AND a.attnum > 0 AND NOT a.attisdropped
"""
DOMAIN = """
    WITH RECURSIVE t AS (
        SELECT oid, typtype, typnotnull, typbasetype FROM pg_catalog.pg_type
        WHERE oid = {type}::pg_catalog.regtype
        UNION ALL
        SELECT b.oid, b.typtype, b.typnotnull, b.typbasetype
        FROM t JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype)
    SELECT coalesce(bool_or(typnotnull OR EXISTS (
        SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)), false) FROM t WHERE typtype = 'd'
"""
VOLATILE = 2
IMMUTABLE = 0


@dataclass(frozen=True)
class Table:
    """A relation by its name."""

    oid: int
    schema: str
    name: str
    kind: str
    """``relkind``: r a table, p a partitioned one, else something that cannot have our triggers."""
    is_partition: bool
    has_heirs: bool = False
    """Other tables inherit from it, and are no partitions."""

    @property
    def is_partitioned(self) -> bool:
        """It has no rows of its own."""
        return self.kind == "p"


@dataclass(frozen=True)
class Column:
    """One column; expressions and types are written with every name qualified."""

    number: int
    name: str
    type: str
    is_nullable: bool
    identity: str
    generated: str
    inherited: int
    default: str | None
    volatility: int | None
    """Of the default: 0 immutable, 1 the same within a statement, 2 volatile."""
    collation: str | None
    """Only where it is not that of the type."""
    comment: str | None
    is_partition_key: bool
    """Or may be: a key that is an expression is not looked into."""
    sequence: str | None
    """The sequence that goes with the column, qualified and quoted."""
    is_comparable: bool
    """Its type surely has an equality."""
    unvalidated: str = ""
    """The NOT NULL constraint that is NOT VALID (PostgreSQL 18 and newer): rows from before it may be NULL."""

    @property
    def comparable_default(self) -> str | None:
        """The default, if it is the same twice within a statement."""
        return None if self.volatility == VOLATILE else self.default


def find_table(connection: Connection, schema: str, name: str) -> Table | None:
    """None: there is no such relation."""
    found = rows(connection, TABLE.format(schema=literal(schema), table=literal(name)))
    return Table(found[0][0], schema, name, *found[0][1:]) if found else None


def find_column(connection: Connection, table: Table, name: str) -> Column | None:
    """None: the table has no such column. With ``search_path = pg_catalog`` in force, so that names are qualified."""
    found = rows(connection, COLUMN.format(oid=table.oid, name=literal(name)))
    if not found:
        return None
    number, type_, is_not_null, *rest = found[0]
    return Column(number, name, type_, not is_not_null, *rest)


def is_constrained(connection: Connection, type_: str) -> bool:
    """Whether the type is a domain with rules, for which PostgreSQL looks at each row when a column is added."""
    return bool(rows(connection, DOMAIN.format(type=literal(type_)))[0][0])
