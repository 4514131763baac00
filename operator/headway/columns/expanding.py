"""The one short transaction that begins a change: the new column, its default, and the triggers; all or nothing.

Locks: ACCESS EXCLUSIVE on the table, for a moment and tried again and again; no row is read or written.
"""

from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.columns.belongings import Belongings, read_belongings
from headway.columns.clashes import clash
from headway.columns.copies import copies_of
from headway.columns.partitions import uncopied
from headway.columns.refusals import Situation, refusal
from headway.columns.swap import trigger_removal
from headway.columns.wanted import CannotChange, Wanted, pair_of
from headway.statements import execute, rows, sqlstate
from headway.sync.calling import another_calling
from headway.sync.column import VOLATILE, Column, Table, find_column, is_constrained
from headway.sync.converter import converter_removal
from headway.sync.found import Found, found_on, pair_on
from headway.sync.names import identifier, literal, qualified
from headway.sync.pair import Mark, Pair
from headway.sync.triggers import creation

OWN_PATH = "pg_catalog"
"""The search path under which the server qualifies every name that it writes."""


@dataclass(frozen=True)
class Expanded:
    """What the transaction found and left."""

    table: Table
    old: Column
    pair: Pair
    mark: Mark
    belongings: Belongings
    uncopied: str
    """What single partitions have of the old column, in words."""


def set_path(connection: Connection, path: str) -> None:
    """Until the end of the transaction."""
    execute(connection, f"SET LOCAL search_path = {path}")


def expand(connection: Connection, table: Table, wanted: Wanted, path: str) -> Expanded:
    """In a transaction of its own; raises :class:`CannotChange`. A rerun makes what is there anew."""
    relation = qualified(table.schema, table.name)
    set_path(connection, OWN_PATH)
    execute(connection, f"LOCK TABLE {relation} IN ACCESS EXCLUSIVE MODE")
    old = column_of(connection, table, wanted.old)
    new_type = wanted.type or old.type
    # What an inherited or missing column has cannot even be read.
    _refuse(connection, table, old, wanted.new, new_type, Belongings())
    belongings = read_belongings(connection, table, old.name, old.number, wanted.new)
    _refuse(connection, table, old, wanted.new, new_type, belongings)
    mark = wanted.mark(table.schema, table.name, path)
    known = pair_on(connection, table, wanted.old, wanted.new)
    _add_column(connection, table, wanted, old, new_type, known)
    _refuse_taken_names(connection, table, wanted, belongings)
    default, kept = _set_default(connection, table, wanted, old, path)
    mark = replace(mark, default=kept)
    pair = pair_of(table, mark, old, new_type, default)
    _refuse_another_tables_function(connection, table, pair)
    for one in (*_removal(pair, known, old), *creation(pair, mark)):
        execute(connection, one)
    _copy_words(connection, relation, old, wanted.new, belongings)
    return Expanded(table, old, pair, mark, belongings, uncopied(connection, table, mark))


def _refuse(
    connection: Connection, table: Table, old: Column, new: str, type_: str, belongings: Belongings
) -> None:
    marks = [one.mark for one in found_on(connection, table)]
    others = [
        one for one in marks if (one.old, one.new) != (old.name, new) and {one.old, one.new} & {old.name, new}
    ]
    said = refusal(
        Situation(
            table, old, type_, belongings, server_version(connection), is_constrained(connection, type_),
            tuple(one.operation for one in others),
        )
    )  # fmt: skip
    if said:
        raise CannotChange(f"{said} Nothing was changed.")


def _refuse_taken_names(connection: Connection, table: Table, wanted: Wanted, belongings: Belongings) -> None:
    copies = copies_of(belongings, wanted.kind, wanted.old, wanted.new)
    said = clash(connection, table, copies, column_of(connection, table, wanted.new).number)
    if said:
        raise CannotChange(f"{said} Nothing was changed.")


def _refuse_another_tables_function(connection: Connection, table: Table, pair: Pair) -> None:
    other = another_calling(connection, table.oid, table.schema, pair.function)
    if other:
        raise CannotChange(
            f"The triggers of {table.schema}.{table.name} would call the function {pair.function}, and triggers of "
            f"{other} call it: that table had this name when {pair.old.name} and {pair.new.name} of it began to be "
            "kept equal. End that change by its contract step or its undo first. Nothing was changed."
        )


def _removal(pair: Pair, known: Found | None, old: Column) -> tuple[str, ...]:
    """Of what an earlier run made; the table may have had another name then."""
    if known is None:
        return ()
    return (
        *trigger_removal(pair.schema, pair.table, known.triggers),
        f"DROP FUNCTION IF EXISTS {known.function}()",
        converter_removal(known.converter, old.type),
    )


def column_of(connection: Connection, table: Table, name: str) -> Column:
    """Raises :class:`CannotChange` where there is none."""
    found = find_column(connection, table, name)
    if found is None:
        raise CannotChange(f"{table.schema}.{table.name} has no column {name}. Nothing was changed.")
    return found


def server_version(connection: Connection) -> int:
    """``server_version_num``."""
    ((version,),) = rows(connection, "SELECT current_setting('server_version_num')::int")
    return int(version)


def _add_column(
    connection: Connection, table: Table, wanted: Wanted, old: Column, type_: str, known: Found | None
) -> None:
    there = find_column(connection, table, wanted.new)
    if there is None:
        collation = f" COLLATE {old.collation}" if old.collation and wanted.is_rename else ""
        execute(
            connection,
            f"ALTER TABLE {qualified(table.schema, table.name)} "
            f"ADD COLUMN {identifier(wanted.new)} {type_}{collation}",
        )
        return
    if known is None:
        raise CannotChange(
            f"{table.schema}.{table.name} has a column {wanted.new} already that no operation has added, and what is "
            "in it is not known. Drop it or take another name. Nothing was changed."
        )
    if there.type != type_:
        raise CannotChange(
            f"{table.schema}.{table.name}.{wanted.new} is of type {there.type} and not {type_}: an earlier run "
            "wanted another one. Undo that first. Nothing was changed."
        )


def _set_default(
    connection: Connection, table: Table, wanted: Wanted, old: Column, path: str
) -> tuple[str | None, str | None]:
    """The default that the trigger may compare with, and the one that comes with the contract step."""
    relation, new = qualified(table.schema, table.name), identifier(wanted.new)
    proposed = wanted.default or _converted_default(connection, wanted, old, path)
    if proposed is None:
        return None, None
    before = column_of(connection, table, wanted.new).default
    set_path(connection, ", ".join(one for one in (OWN_PATH, path) if one))
    try:
        with connection.begin_nested() as savepoint:
            execute(connection, f"ALTER TABLE {relation} ALTER COLUMN {new} SET DEFAULT {proposed}")
            set_path(connection, OWN_PATH)
            column = column_of(connection, table, wanted.new)
            if column.default == before:
                # A rerun: partitions may have one of their own by now, which it was put over.
                savepoint.rollback()
    except DBAPIError as error:
        if sqlstate(error)[:2] not in ("22", "42"):
            raise
        raise CannotChange(_default_needed(wanted, old)) from error
    set_path(connection, OWN_PATH)
    if column.volatility != VOLATILE:
        return column.default, None
    # Two columns would have two values: until the old one goes, its default serves both.
    execute(connection, f"ALTER TABLE {relation} ALTER COLUMN {new} DROP DEFAULT")
    return None, column.default


def _converted_default(connection: Connection, wanted: Wanted, old: Column, path: str) -> str | None:
    if old.default is None or wanted.using is None:
        return old.default
    if old.volatility != 0:
        raise CannotChange(_default_needed(wanted, old))
    set_path(connection, ", ".join(one for one in (OWN_PATH, path) if one))
    ((value,),) = rows(
        connection,
        f"SELECT ({wanted.using})::text FROM (SELECT {old.default}::{old.type} AS {identifier(old.name)}) AS value",
    )
    set_path(connection, OWN_PATH)
    return None if value is None else f"{literal(value)}::{wanted.type}"


def _default_needed(wanted: Wanted, old: Column) -> str:
    return (
        f"The default of {old.name}, {old.default}, cannot be converted to {wanted.type} by itself. Give the new "
        'one: server_default="…". Nothing was changed.'
    )


def _copy_words(connection: Connection, relation: str, old: Column, new: str, belongings: Belongings) -> None:
    """The comment, and what was granted on the column alone."""
    if old.comment is not None:
        execute(connection, f"COMMENT ON COLUMN {relation}.{identifier(new)} IS {literal(old.comment)}")
    for who, privilege, grantable in belongings.grants:
        option = " WITH GRANT OPTION" if grantable else ""
        execute(connection, f"GRANT {privilege} ({identifier(new)}) ON {relation} TO {who}{option}")
