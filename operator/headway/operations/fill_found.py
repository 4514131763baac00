"""The filling trigger of a column as the catalog has it: which function it calls, and whether another table's do.

A trigger stays with its table when that gets another name or schema, and with its column, whose name its own has in
it; its function stays under its first name.
Locks: none that a writer notices.
"""

from dataclasses import replace

from sqlalchemy.engine import Connection

from headway.operations.fill_mark import MARKED
from headway.operations.fill_trigger import FillTrigger
from headway.operations.tables import Table
from headway.statements import literal, rows
from headway.sync.calling import another_calling

_CALLED = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname), t.tgname::text
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE t.tgrelid = {oid} AND NOT t.tgisinternal AND starts_with(obj_description(t.tgfoid, 'pg_proc'), {marked})
      AND (t.tgname IN ({names}) OR EXISTS (
        SELECT FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_class'::regclass
          AND d.refobjid = {oid} AND a.attname = {column}))
    ORDER BY t.tgname
"""


def found_trigger(connection: Connection, table: Table, column: str) -> FillTrigger:
    """What is there, or what is to be made. In a transaction."""
    new = FillTrigger(table.schema, table.name, column)
    names = ", ".join(literal(name) for name in new.names)
    which = {"oid": table.oid, "names": names, "column": literal(column), "marked": literal(MARKED)}
    found = rows(connection, _CALLED.format(**which))
    if found:
        return replace(new, called=str(found[0][0]), there=tuple(str(name) for _, name in found))
    return replace(new, caller=another_calling(connection, table.oid, table.schema, new.function_name))
