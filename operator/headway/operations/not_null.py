"""NOT NULL set, and dropped, while the table is in use."""

from dataclasses import replace
from typing import Any

from sqlalchemy.types import TypeEngine

from headway.blockers import Wanted as WantedLock
from headway.facts import Noticed, tell
from headway.operations.constraint_catalog import column_of, constraints_of
from headway.operations.constraint_state import (
    Add,
    Column,
    Done,
    DropCheck,
    SetNotNull,
    Validate,
    ValidateNotNull,
    next_step_to_not_null,
)
from headway.operations.constraint_work import ConstraintRefused, Work
from headway.operations.script import validation, write_steps
from headway.operations.site import site
from headway.operations.tables import Table
from headway.operations.unfinished import unfinished_backfill
from headway.place import Place, here
from headway.sessions import OwnSession
from headway.short_locks import SHORT, Patience, stop_if_wished
from headway.statements import PLAIN, quoted, shortened


def set_not_null_online(
    table_name: str,
    column_name: str,
    schema: "str | None" = None,
    existing_type: "TypeEngine[Any] | None" = None,
    patience: Patience = SHORT,
) -> None:
    """Make a column NOT NULL while the table is read and written: proved by a check first, which is dropped then.

    A rerun goes on at the step that is not done yet. A NOT NULL constraint that is there NOT VALID (PostgreSQL 18 and
    newer) is validated, and stays as it was when rows are in the way. Commits what the revision did before, so give
    it a revision of its own. ``existing_type`` is what MySQL needs (``op.alter_column``), and PostgreSQL does not.

    Locks: ``ACCESS EXCLUSIVE`` on the table for a moment, three times (ADD CHECK … NOT VALID; SET NOT NULL, which
    looks at no row because the check is valid, PostgreSQL 12 and newer; DROP CONSTRAINT), each tried with
    ``patience``; between the first two ``SHARE UPDATE EXCLUSIVE``, which holds up neither readers nor writers, while
    all rows are read (VALIDATE).

    Raises :class:`headway.operations.constraint_work.RowsInTheWay` when rows are NULL (the check is taken back then),
    :class:`headway.operations.constraint_work.ConstraintRefused` while a backfill of the column is not finished,
    :class:`headway.place.CannotCommit`, :class:`headway.operations.tables.NoSuchTable`,
    :class:`headway.short_locks.LockUnavailable`. Elsewhere than on PostgreSQL it is
    ``op.alter_column(nullable=False)``. Undone by :func:`drop_not_null_online`.
    """
    place = here()
    if not place.is_postgres:
        tell(
            place.link,
            Noticed(f"{table_name}.{column_name} becomes NOT NULL as {place.dialect.name} does it."),
        )
        return _alter(table_name, column_name, schema, existing_type, nullable=False)
    if place.is_offline:
        steps = _script(quoted(PLAIN, schema, table_name), table_name, column_name)
        return write_steps(place, *steps)
    make_not_null(place, table_name, column_name, schema, patience)


def make_not_null(
    place: Place,
    table_name: str,
    column_name: str,
    schema: "str | None",
    patience: Patience,
    elsewhere: str = "",
) -> None:
    """On PostgreSQL; ``elsewhere``: what was changed before and stays when rows are in the way, as a sentence."""
    with site(place, table_name, schema, patience) as at:
        _refuse_while_it_is_filled(at.session, place, at.table, column_name)
        offenders = f"FROM {at.table.quoted} WHERE {quoted(PLAIN, column_name)} IS NULL"
        name, locks = check_name(table_name, column_name), (WantedLock(at.table.quoted),)
        work = Work(at, name, locks, offenders, f"NOT NULL of {column_name}", elsewhere=elsewhere)
        _until_not_null(work, column_name)


def drop_not_null_online(
    table_name: str,
    column_name: str,
    schema: "str | None" = None,
    existing_type: "TypeEngine[Any] | None" = None,
    patience: Patience = SHORT,
) -> None:
    """Let a column be NULL again; a rerun changes nothing. Commits what the revision did before.

    Locks: ``ACCESS EXCLUSIVE`` on the table for a moment, tried with ``patience``. Raises
    :class:`headway.place.CannotCommit`, :class:`headway.operations.tables.NoSuchTable`,
    :class:`headway.short_locks.LockUnavailable`. Elsewhere than on PostgreSQL it is
    ``op.alter_column(nullable=True)``. Undone by :func:`set_not_null_online`.
    """
    place = here()
    if not place.is_postgres:
        return _alter(table_name, column_name, schema, existing_type, nullable=True)
    alter = f"ALTER COLUMN {quoted(PLAIN, column_name)} DROP NOT NULL"
    drop = f"DROP CONSTRAINT IF EXISTS {quoted(PLAIN, check_name(table_name, column_name))}"
    if place.is_offline:
        return write_steps(place, f"ALTER TABLE {quoted(PLAIN, schema, table_name)} {alter}, {drop}")
    with site(place, table_name, schema, patience) as at:
        at.shortly(f"ALTER TABLE {at.table.quoted} {alter}, {drop}")


def check_name(table: str, column: str) -> str:
    """Of the check that proves it, while it is there."""
    return shortened(f"headway_{table}_{column}_not_null")


def _until_not_null(work: Work, column: str) -> None:
    at, alter = work.site, f"ALTER TABLE {work.site.table.quoted}"
    name = quoted(PLAIN, work.name)
    while True:
        stop_if_wished(at.beside.place.link)
        found = _look(at.session, at.table, column)
        proof = f"CHECK (({found.quoted} IS NOT NULL))"
        constraints = at.session.do(lambda one: constraints_of(one, at.table))
        step = next_step_to_not_null(work.name, constraints, proof, found)
        if isinstance(step, Done):
            return
        if isinstance(step, Add):
            work.shortly(f"{alter} ADD CONSTRAINT {name} {proof} NOT VALID")
        elif isinstance(step, Validate):
            # A check that an interrupted run left is ours as well: it is taken back when rows are in the way.
            work.validate(was_added=True)
        elif isinstance(step, ValidateNotNull):
            replace(work, name=step.name).validate(was_added=False)
        elif isinstance(step, SetNotNull):
            work.shortly(f"{alter} ALTER COLUMN {quoted(PLAIN, column)} SET NOT NULL")
        elif isinstance(step, DropCheck):
            work.shortly(work.drop_statement())


def _refuse_while_it_is_filled(session: OwnSession, place: Place, table: Table, column: str) -> None:
    operation = session.do(lambda one: unfinished_backfill(one, place, table.name, column))
    if operation:
        raise ConstraintRefused(
            f"{table.quoted}.{column} cannot become NOT NULL yet: its backfill ({operation}) is not complete. Run "
            "the revision with the backfill again, it goes on where it stopped; then this one. If it was given up "
            "for another way, delete its rows of headway_backfill. Nothing was changed."
        )


def _look(session: OwnSession, table: Table, column: str) -> Column:
    found = session.do(lambda one: column_of(one, table, column))
    if found is None:
        raise ConstraintRefused(
            f"There is no column {column} in {table.quoted}. Add it in an earlier revision."
        )
    return found


def _script(table: str, name: str, column: str) -> "tuple[str | tuple[str, ...], ...]":
    check, its_column = check_name(name, column), quoted(PLAIN, column)
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {quoted(PLAIN, check)} CHECK ({its_column} IS NOT NULL) NOT VALID",
        validation(table, check),
        f"ALTER TABLE {table} ALTER COLUMN {its_column} SET NOT NULL",
        f"ALTER TABLE {table} DROP CONSTRAINT {quoted(PLAIN, check)}",
    )


def _alter(
    table: str, column: str, schema: "str | None", existing_type: "TypeEngine[Any] | None", nullable: bool
) -> None:
    operations = here().operations
    if here().dialect.name == "sqlite":
        # SQLite has no ALTER for it: Alembic makes the table anew.
        with operations.batch_alter_table(table, schema=schema) as batch:
            batch.alter_column(column, existing_type=existing_type, nullable=nullable)
        return
    operations.alter_column(table, column, schema=schema, existing_type=existing_type, nullable=nullable)
