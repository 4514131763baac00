"""What single partitions have of a column and their parent has not: DROP COLUMN on the parent takes it all with it.

Nothing of it is copied. The same on the new column of that partition, whoever has made it, is its finished copy.
"""

import re
from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.columns.belongings import rename_for_a_moment
from headway.operations.index_catalog import bare
from headway.operations.tables import COPY
from headway.statements import execute, rows, sqlstate
from headway.sync.column import Table
from headway.sync.names import literal, qualified
from headway.sync.pair import Mark

SHOWN = 10
"""That are named."""
MADE_BY = (
    "create_index_concurrently(), add_check_online(), add_foreign_key_online() and set_not_null_online() take its "
    "name for the table's, and op.execute() does the rest"
)
"""What makes the same for a partition, as the end of a sentence."""
TREE = """
    WITH RECURSIVE tree AS (
        SELECT inhrelid AS oid FROM pg_catalog.pg_inherits WHERE inhparent = {oid}
        UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON tree.oid = i.inhparent),
    member AS (
        SELECT tree.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation, a.attnum, a.attnotnull
        FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_attribute a ON a.attrelid = tree.oid AND a.attname = {column} AND NOT a.attisdropped)
"""
# The index of a constraint counts as the constraint.
HELD = (
    TREE
    + """
    SELECT m.relation, 'index', x.relname, pg_catalog.pg_get_indexdef(x.oid), i.indisunique, i.indisreplident
    FROM member m JOIN pg_catalog.pg_index i ON i.indrelid = m.oid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE i.indisvalid AND (m.attnum = ANY (i.indkey::int2[]) OR EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = m.oid AND d.refobjsubid = m.attnum))
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                      WHERE k.conrelid = m.oid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
      AND NOT ({alone} AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid))
    UNION ALL
    SELECT m.relation, 'constraint', k.conname, pg_catalog.pg_get_constraintdef(k.oid), false,
           coalesce((SELECT i.indisreplident FROM pg_catalog.pg_index i
                     WHERE i.indexrelid = k.conindid AND i.indrelid = m.oid), false)
    FROM member m JOIN pg_catalog.pg_constraint k ON k.conrelid = m.oid
    WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
      AND (m.attnum = ANY (k.conkey) OR k.contype = 'x' AND EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = k.conindid
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = m.oid AND d.refobjsubid = m.attnum))
      AND NOT ({alone} AND (k.conparentid <> 0 OR k.coninhcount > 0))
    UNION ALL
    SELECT m.relation, 'statistics object', s.stxname,
           pg_catalog.replace(pg_catalog.pg_get_statisticsobjdef(s.oid),
                              pg_catalog.format('CREATE STATISTICS %I.%I', sn.nspname, s.stxname), ''), false, false
    FROM member m JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = m.oid
    JOIN pg_catalog.pg_namespace sn ON sn.oid = s.stxnamespace
    WHERE EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_statistic_ext'::regclass AND d.objid = s.oid
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = m.oid AND d.refobjsubid = m.attnum)
    ORDER BY 1, 3
"""
)
# With a NOT NULL of its own the parent gives one to the new column itself.
NOT_NULL = (
    TREE
    + """
    SELECT m.relation FROM member m
    WHERE m.attnotnull
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute p
                      WHERE p.attrelid = {oid} AND p.attname = {column} AND p.attnotnull)
      AND EXISTS (SELECT FROM pg_catalog.pg_attribute n
                  WHERE n.attrelid = m.oid AND n.attname = {new} AND NOT n.attnotnull AND NOT n.attisdropped)
    ORDER BY 1
"""
)
# What ALTER TABLE on the parent gives to its partitions is not theirs alone.
OWN = (
    TREE
    + """
    SELECT pg_catalog.format('the %s of %s', own.what, m.relation)
    FROM member m
    JOIN pg_catalog.pg_attribute o ON o.attrelid = m.oid AND o.attnum = m.attnum
    JOIN pg_catalog.pg_attribute n ON n.attrelid = m.oid AND n.attname = {new} AND NOT n.attisdropped
    JOIN pg_catalog.pg_attribute p ON p.attrelid = {oid} AND p.attname = {column}
    JOIN pg_catalog.pg_attribute q ON q.attrelid = {oid} AND q.attname = {new}
    LEFT JOIN pg_catalog.pg_attrdef od ON od.adrelid = m.oid AND od.adnum = o.attnum
    LEFT JOIN pg_catalog.pg_attrdef nd ON nd.adrelid = m.oid AND nd.adnum = n.attnum
    LEFT JOIN pg_catalog.pg_attrdef pd ON pd.adrelid = {oid} AND pd.adnum = p.attnum
    LEFT JOIN pg_catalog.pg_attrdef qd ON qd.adrelid = {oid} AND qd.adnum = q.attnum
    CROSS JOIN LATERAL (SELECT
        pg_catalog.pg_get_expr(od.adbin, m.oid) AS o, pg_catalog.pg_get_expr(nd.adbin, m.oid) AS n,
        pg_catalog.pg_get_expr(pd.adbin, {oid}) AS p, pg_catalog.pg_get_expr(qd.adbin, {oid}) AS q) AS value
    CROSS JOIN LATERAL (VALUES
        ('comment', pg_catalog.col_description(m.oid, o.attnum)
            <> coalesce(pg_catalog.col_description(m.oid, n.attnum), '')),
        ('default', value.o IS DISTINCT FROM value.p AND value.o IS NOT NULL
            AND ({is_overwritten} OR value.n IS NULL
                 OR value.n <> value.o AND value.n IS NOT DISTINCT FROM value.q)),
        ('grants', EXISTS (SELECT grantee, privilege_type, is_grantable FROM pg_catalog.aclexplode(o.attacl)
            EXCEPT SELECT grantee, privilege_type, is_grantable FROM pg_catalog.aclexplode(n.attacl))),
        ('statistics target', coalesce(o.attstattarget, -1) NOT IN (-1, coalesce(p.attstattarget, -1),
            coalesce(n.attstattarget, -1)))
    ) AS own(what, is_lost)
    WHERE own.is_lost ORDER BY m.relation, own.what
"""
)
ON_THE_COPY = re.compile(rf" ON pg_temp(_\d+)?\.{COPY} ")


@dataclass(frozen=True)
class Held:
    """An index, constraint or statistics object of one partition over a column."""

    relation: str
    """The partition, quoted."""
    kind: str
    """index, constraint or statistics object."""
    name: str
    definition: str
    """As the server writes it, without the names of index and table."""
    is_replica_identity: bool

    @property
    def what(self) -> tuple[str, str, str, bool]:
        """All but its name."""
        return self.relation, self.kind, self.definition, self.is_replica_identity

    @property
    def words(self) -> str:
        """For people."""
        replica = " (the replica identity)" if self.is_replica_identity else ""
        return f"the {self.kind} {self.name} of {self.relation}{replica}"


def uncopied(connection: Connection, table: Table, mark: Mark) -> str:
    """What single partitions have on the old column and not on the new one, in words; "" when there is nothing.

    A default that comes with the contract step is put over those of partitions. In a transaction that holds ACCESS
    EXCLUSIVE on the table, with ``search_path = pg_catalog`` in force.
    """
    if not (table.is_partitioned or table.has_heirs):
        return ""
    found = [one.words for one in _without_copy(connection, table, mark.old, mark.new)]
    which = {"oid": table.oid, "column": literal(mark.old), "new": literal(mark.new)}
    found += [f"NOT NULL of {relation}" for (relation,) in rows(connection, NOT_NULL.format(**which))]
    is_overwritten = "false" if mark.default is None else "true"
    found += [words for (words,) in rows(connection, OWN.format(**which, is_overwritten=is_overwritten))]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _without_copy(connection: Connection, table: Table, old: str, new: str) -> list[Held]:
    if not _held(connection, table, old, alone=True):
        return []
    with connection.begin_nested() as savepoint:
        rename_for_a_moment(connection, table, old, new)
        wanted = _held(connection, table, new, alone=True)
        savepoint.rollback()
    copies = {one.what for one in _held(connection, table, new, alone=False)}
    left = [one for one in wanted if not _is_among(one, copies)]
    # With another type the server writes some expressions otherwise.
    written = {
        words: _as_written(connection, table, *words)
        for words in {(one.kind, one.definition) for one in left}
    }
    return [
        one
        for one in left
        if not _is_among(replace(one, definition=written[(one.kind, one.definition)]), copies)
    ]


def _is_among(one: Held, copies: set[tuple[str, str, str, bool]]) -> bool:
    """What is valid is also a copy of what is not."""
    valid = replace(one, definition=one.definition.removesuffix(" NOT VALID"))
    return bool({one.what, valid.what} & copies)


def _held(connection: Connection, table: Table, column: str, *, alone: bool) -> list[Held]:
    """``alone``: only what has no parent of its own."""
    query = HELD.format(oid=table.oid, column=literal(column), alone="true" if alone else "false")
    return [
        Held(
            relation,
            kind,
            name,
            bare(definition, relation, is_unique) if kind == "index" else definition,
            is_replica_identity,
        )
        for relation, kind, name, definition, is_unique, is_replica_identity in rows(connection, query)
    ]


def _as_written(connection: Connection, table: Table, kind: str, definition: str) -> str:
    """As the server writes it for the columns as they are; made on an empty copy of the table, and rolled back."""
    is_check = definition.startswith("CHECK ")
    if kind != "index" and not is_check:
        return definition
    unique = "UNIQUE " if definition.startswith("UNIQUE ") else ""
    make, look = (
        (
            f"ALTER TABLE pg_temp.{COPY} ADD CONSTRAINT {COPY}_one {definition}",
            f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'pg_temp.{COPY}'::regclass",
        )
        if is_check
        else (
            f"CREATE {unique}INDEX {COPY}_one ON pg_temp.{COPY} {definition.removeprefix(unique)}",
            f"SELECT pg_get_indexdef('pg_temp.{COPY}_one'::regclass)",
        )
    )
    try:
        with connection.begin_nested() as savepoint:
            relation = qualified(table.schema, table.name)
            execute(connection, f"CREATE TEMPORARY TABLE {COPY} (LIKE {relation})")
            execute(connection, make)
            ((written,),) = rows(connection, look)
            savepoint.rollback()
    except DBAPIError as error:
        # The new type has no such operator, or the role may make no temporary tables.
        if not sqlstate(error).startswith("42"):
            raise
        return definition
    return str(written) if is_check else unique + ON_THE_COPY.split(written, maxsplit=1)[-1]
