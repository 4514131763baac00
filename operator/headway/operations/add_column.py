"""A column added to a table that is in use, filled, and NOT NULL at the end if the model wants it so."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Column
from sqlalchemy.sql import ClauseElement

from headway.backfills.backfill import backfill
from headway.blockers import Wanted as WantedLock
from headway.facts import Noticed, tell
from headway.operations.constraint_work import ConstraintRefused
from headway.operations.fill_found import found_trigger
from headway.operations.fill_mark import Filling, read_filling, unfilled
from headway.operations.fill_trigger import FillTrigger
from headway.operations.new_column import NewColumn, type_of, type_wanted
from headway.operations.not_null import set_not_null_online
from headway.operations.script import write_steps
from headway.operations.site import site
from headway.operations.tables import Table
from headway.operations.unfinished import forget_backfills
from headway.pace import Pace
from headway.place import Place, here
from headway.short_locks import SHORT, Patience, with_short_locks
from headway.statements import PLAIN, as_sql, execute, quoted


def add_column_with_backfill(
    table_name: str,
    column: "Column[Any]",
    value: "str | ClauseElement",
    where: "str | ClauseElement | None" = None,
    schema: "str | None" = None,
    fill_new_writes: "bool | None" = None,
    patience: Patience = SHORT,
    pace: "Pace | None" = None,
    strategy: str = "auto",
) -> None:
    """Add a column to a table that is in use, fill it, and make it NOT NULL if ``column`` is ``nullable=False``.

    ``value``: what a row gets, SQL over its columns as text or SQLAlchemy's. ``where``: which rows, besides those in
    which it is still NULL. ``fill_new_writes``: a trigger fills rows that application code writes which does not know
    the column, and lets the column follow ``value`` as long as it has not been written otherwise; by default there is
    one unless the column has a ``server_default``. It stays, also when the column is NOT NULL, until
    :func:`stop_filling_column`, for the revision after the application's release. ``pace`` and ``strategy`` are those
    of :func:`headway.backfill`.

    A rerun goes on: a column of this name and type is taken for the one, the backfill goes on after its last batch.
    With another ``value`` the trigger has that from then on, and rows that hold what the earlier one gives are filled
    anew, which is told; without a trigger nobody knows which those are, and they stay. Commits what the revision did
    before, so give it a revision of its own.

    Locks: ``ACCESS EXCLUSIVE`` on the table for a moment (ADD COLUMN, default and trigger, no row is touched), tried
    with ``patience``; those of :func:`headway.backfill`; those of :func:`set_not_null_online`.

    Raises :class:`ValueError` for a column that needs an operation of its own (unique, index, foreign key,
    computed), :class:`headway.operations.constraint_work.ConstraintRefused` when a column of this name has another
    type, and what the backfill and :func:`set_not_null_online` raise. Elsewhere than on PostgreSQL there is no
    trigger. Undone by :func:`drop_column_with_backfill`.
    """
    place, new = here(), NewColumn(column)
    text = as_sql(value)
    filling = Filling(text)
    wants_trigger = column.server_default is None if fill_new_writes is None else fill_new_writes
    if not place.is_postgres:
        _add_plainly(place, new, table_name, schema, wants_trigger)
    elif place.is_offline:
        statements = new.additions(quoted(PLAIN, schema, table_name))
        trigger = FillTrigger(schema, table_name, new.name).creation(filling) if wants_trigger else ()
        write_steps(place, (*statements, *trigger))
    else:
        filling = _add(place, new, table_name, schema, filling, wants_trigger, patience)
    which = unfilled(new.quoted if place.is_postgres else place.name(new.name), new.type, filling)
    backfill(
        table_name,
        {new.name: value},
        which if where is None else f"({which}) AND ({as_sql(where)})",
        schema=schema,
        strategy=strategy,
        synced=wants_trigger and place.is_postgres,
        pace=pace,
    )
    if filling.before:
        _forget_earlier_values(place, new, table_name, schema, filling, patience)
    if not new.is_nullable:
        set_not_null_online(table_name, new.name, schema, column.type, patience)


def stop_filling_column(
    table_name: str, column_name: str, schema: "str | None" = None, patience: Patience = SHORT
) -> None:
    """Drop the trigger of :func:`add_column_with_backfill`: the application writes the column itself now.

    A rerun changes nothing. Commits what the revision did before. Locks: ``ACCESS EXCLUSIVE`` on the table for a
    moment, tried with ``patience``. Raises :class:`headway.place.CannotCommit`,
    :class:`headway.operations.tables.NoSuchTable`, :class:`headway.short_locks.LockUnavailable`. Elsewhere than on
    PostgreSQL there is no trigger. Undone by :func:`add_column_with_backfill`, which finds the column there.
    """
    place = here()
    if not place.is_postgres:
        return
    if place.is_offline:
        return write_steps(place, FillTrigger(schema, table_name, column_name).removal())
    _shortly(place, table_name, schema, column_name, FillTrigger.removal, patience)


def drop_column_with_backfill(
    table_name: str, column_name: str, schema: "str | None" = None, patience: Patience = SHORT
) -> None:
    """Drop the column with its trigger, and forget its backfill, so that the upgrade can be done again.

    A rerun changes nothing. Commits what the revision did before. Locks: ``ACCESS EXCLUSIVE`` on the table for a
    moment, tried with ``patience``. Raises :class:`headway.place.CannotCommit`,
    :class:`headway.operations.tables.NoSuchTable`, :class:`headway.short_locks.LockUnavailable`. Elsewhere than on
    PostgreSQL it is ``op.drop_column``. Undone by :func:`add_column_with_backfill`.
    """
    place = here()
    if not place.is_postgres:
        if place.is_offline or _column_is_there(place, table_name, column_name, schema):
            place.operations.drop_column(table_name, column_name, schema=schema)
        return
    drop = f"DROP COLUMN IF EXISTS {quoted(PLAIN, column_name)}"
    if place.is_offline:
        trigger = FillTrigger(schema, table_name, column_name).removal()
        return write_steps(place, (*trigger, f"ALTER TABLE {quoted(PLAIN, schema, table_name)} {drop}"))
    _shortly(
        place,
        table_name,
        schema,
        column_name,
        lambda trigger: (*trigger.removal(), f"ALTER TABLE {trigger.relation} {drop}"),
        patience,
        forgets=True,
    )


def _add(
    place: Place,
    new: NewColumn,
    table_name: str,
    schema: "str | None",
    filling: Filling,
    wants_trigger: bool,
    patience: Patience,
) -> Filling:
    """What is not there yet, in one transaction; what the rows are to be filled with, knowing earlier runs."""
    with site(place, table_name, schema, patience) as at:
        session, table = at.session, at.table
        found = session.do(lambda one: type_of(one, table.oid, new.name))
        wanted = session.do(lambda one: type_wanted(one, new)) if found is not None else None
        if wanted not in (None, found):
            raise ConstraintRefused(
                f"{table.quoted} has a column {new.name} of another type. It is: {found}. Wanted: {wanted}. Drop it "
                "or change its type in an earlier revision, or give this one another name."
            )
        trigger = session.do(lambda one: _read_trigger(one, table, new.name))
        if wants_trigger and trigger.caller:
            raise ConstraintRefused(_taken(trigger))
        there = session.do(lambda one: read_filling(one, table.oid, trigger.names))
        filling = filling if there is None or not wants_trigger else there.changed_to(filling.value)
        if found is not None and (not wants_trigger or there == filling):
            return filling
        at.shortly(
            *(new.additions(table.quoted) if found is None else ()),
            *(trigger.creation(filling) if wants_trigger else ()),
            locks=(WantedLock(table.quoted, "ACCESS EXCLUSIVE" if found is None else "SHARE ROW EXCLUSIVE"),),
        )
    if wants_trigger:
        tell(place.link, Noticed(_told(f"{table.quoted}.{new.name}", filling)))
    return filling


def _read_trigger(connection: Connection, table: Table, column: str) -> FillTrigger:
    with connection.begin():
        return found_trigger(connection, table, column)


def _taken(trigger: FillTrigger) -> str:
    return (
        f"The trigger that fills {trigger.relation}.{trigger.column} would call the function {trigger.function}, and "
        f"triggers of {trigger.caller} call it: that table had this name when its {trigger.column} was added. Call "
        f"stop_filling_column() for {trigger.column} of {trigger.caller} in an earlier revision, or give this column "
        "another name. Nothing was changed."
    )


def _told(name: str, filling: Filling) -> str:
    said = (
        f"A trigger fills {name} for application code that does not know it. When all code that runs writes the "
        "column, drop it by stop_filling_column()."
    )
    if not filling.before:
        return said
    return f"{name} is filled with another value than in an earlier run; rows that hold that are filled anew. {said}"


def _forget_earlier_values(
    place: Place,
    new: NewColumn,
    table_name: str,
    schema: "str | None",
    filling: Filling,
    patience: Patience,
) -> None:
    """No row holds one any more, and what they name may go."""
    _shortly(
        place,
        table_name,
        schema,
        new.name,
        lambda trigger: trigger.function_creation(Filling(filling.value)),
        patience,
    )


def _shortly(
    place: Place,
    table_name: str,
    schema: "str | None",
    column: str,
    statements: "Callable[[FillTrigger], tuple[str, ...]]",
    patience: Patience,
    forgets: bool = False,
) -> None:
    """In one transaction on the table that is found, with the trigger that it has."""

    def work(connection: Connection) -> None:
        for statement in statements(found_trigger(connection, at.table, column)):
            execute(connection, statement)
        if forgets:
            forget_backfills(connection, place, at.table.name, column)

    with site(place, table_name, schema, patience) as at:
        with_short_locks(at.session, work, (WantedLock(at.table.quoted),), place.link, patience)


def _add_plainly(place: Place, new: NewColumn, table: str, schema: "str | None", wants_trigger: bool) -> None:
    """As Alembic adds it; the default comes after the column, so that the rows that are there are filled."""
    name = place.dialect.name
    message = f"The column {table}.{new.name} is added as {name} adds columns"
    tell(place.link, Noticed(message + (", without a trigger for new writes." if wants_trigger else ".")))
    if not place.is_offline and _column_is_there(place, table, new.name, schema):
        return
    place.operations.add_column(table, new.bare(), schema=schema)
    default: Any = new.column.server_default
    if default is None:
        return
    if name == "sqlite":
        with place.operations.batch_alter_table(table, schema=schema) as batch:
            batch.alter_column(new.name, server_default=default.arg, existing_type=new.column.type)
        return
    place.operations.alter_column(
        table, new.name, schema=schema, server_default=default.arg, existing_type=new.column.type
    )


def _column_is_there(place: Place, table: str, column: str, schema: "str | None") -> bool:
    inspector: Any = sa.inspect(place.context.connection)
    return any(one["name"] == column for one in inspector.get_columns(table, schema=schema))
