"""Whether the names of the copies are free, before anything is copied: what has one already may be something else.

Locks: none.
"""

from sqlalchemy.engine import Connection

from headway.columns.copies import ConstraintCopy, Copies, IndexCopy
from headway.statements import rows
from headway.sync.column import Table
from headway.sync.names import literal

# An earlier run's copy has the new column in it.
RELATION = """
    SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_class t ON t.relnamespace = c.relnamespace
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid AND i.indrelid = t.oid
    WHERE t.oid = {oid} AND c.relname = {name} AND NOT coalesce({number} = ANY (i.indkey::int2[]), false)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                        AND d.refclassid = 'pg_catalog.pg_class'::regclass
                        AND d.refobjid = t.oid AND d.refobjsubid = {number})
"""
CONSTRAINT = """
    SELECT 1 FROM pg_catalog.pg_constraint k
    WHERE k.conrelid = {relation}::pg_catalog.regclass AND k.conname = {name}
      AND NOT (k.conrelid = {oid} AND {number} = ANY (k.conkey))
      AND NOT (k.confrelid = {oid} AND {number} = ANY (coalesce(k.confkey, '{{}}')))
"""


def clash(connection: Connection, table: Table, copies: Copies, new: int) -> str | None:
    """What is to be done about the first name that is taken; None: all are free, or an earlier run's own.

    ``new`` is the new column's number. In a transaction.
    """
    place = {"oid": table.oid, "number": new}
    wanted: list[tuple[IndexCopy | ConstraintCopy, str]] = [
        *((one, RELATION.format(name=literal(one.name), **place)) for one in copies.indexes),
        *(
            (one, CONSTRAINT.format(relation=literal(one.original.relation), name=literal(one.name), **place))
            for one in (*copies.constraints, *copies.incoming)
        ),
    ]
    taken = next((one for one, query in wanted if rows(connection, query)), None)
    if taken is None:
        return None
    return (
        f"The copy of {taken.original.name} would be named {taken.name}, and that name is taken. Where it is the "
        "copy for a change of another column in it, end that by its contract step or its undo first; else give what "
        "has the name another one, or drop it."
    )
