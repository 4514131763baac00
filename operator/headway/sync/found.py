"""The sync triggers that a table has, found again by the comments on their functions.

Locks: none that a writer notices.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.engine import Connection

from headway.statements import rows
from headway.sync.column import Table
from headway.sync.names import qualified
from headway.sync.pair import PREFIX, Mark, converter_name, mark_of

TRIGGERS = """
    SELECT t.tgname, pg_catalog.format('%I.%I', n.nspname, p.proname), t.tgenabled::text,
           pg_catalog.obj_description(t.tgfoid, 'pg_proc'), n.nspname
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE t.tgrelid = {oid} AND NOT t.tgisinternal AND p.proname LIKE '{prefix}%'
    ORDER BY t.tgname
"""


@dataclass(frozen=True)
class Found:
    """One pair of triggers."""

    mark: Mark
    """With the name that the table has now."""
    function: str
    """Which they call, quoted, with the schema in which it was made."""
    converter: str
    """The one that converts for the backfill, while there is one: made under the name that the table had then."""
    triggers: tuple[str, ...]
    is_enabled: bool
    """Both are there and fire for every session that is no replica."""


def found_on(connection: Connection, table: Table) -> tuple[Found, ...]:
    """All of them, in the order of their names."""
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows(connection, TRIGGERS.format(oid=table.oid, prefix=PREFIX.replace("_", r"\_"))):
        groups.setdefault(row[1], []).append(row)
    return tuple(
        Found(
            replace(mark, table=table.name),
            function,
            qualified(group[0][4], converter_name(mark.table, mark.old, mark.new)),
            tuple(one[0] for one in group),
            len(group) == 2 and all(one[2] in "OA" for one in group),
        )
        for function, group in groups.items()
        if (mark := mark_of(group[0][3])) is not None
    )


def pair_on(connection: Connection, table: Table, old: str, new: str) -> Found | None:
    """The triggers of these two columns, in this direction."""
    return next(
        (one for one in found_on(connection, table) if (one.mark.old, one.mark.new) == (old, new)), None
    )
