"""Which table's triggers call a function.

A trigger stays with its table when that gets another name, and so does its function: a table that has the old name
then must not replace that function. Locks: none that a writer notices.
"""

from sqlalchemy.engine import Connection

from headway.statements import rows
from headway.sync.names import literal

# The partitions of a table have copies of its triggers.
ANOTHER = """
    SELECT pg_catalog.format('%I.%I', cn.nspname, c.relname)
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
    WHERE pn.nspname = {schema} AND p.proname = {name} AND t.tgrelid <> {oid}
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(t.tgrelid) a WHERE a.relid = {oid})
    ORDER BY c.oid LIMIT 1
"""


def another_calling(connection: Connection, oid: int, schema: str, function: str) -> str:
    """Another table than this one, quoted, whose triggers call the function; "" where there is none."""
    found = rows(connection, ANOTHER.format(oid=oid, schema=literal(schema), name=literal(function)))
    return str(found[0][0]) if found else ""
