"""Checks added, and constraints dropped, while the table is in use."""

from sqlalchemy.sql import ClauseElement

from headway.blockers import Wanted as WantedLock
from headway.facts import Noticed, tell
from headway.operations import plainly
from headway.operations.constraint_catalog import check_wanted, constraints_of, referent_of
from headway.operations.constraint_sql import CheckWanted, name_to_drop
from headway.operations.constraint_state import Step, next_step
from headway.operations.constraint_work import Work
from headway.operations.script import validation, write_steps
from headway.operations.site import site
from headway.place import here
from headway.short_locks import SHORT, Patience
from headway.statements import PLAIN, clause, quoted


def add_check_online(
    constraint_name: "str | None",
    table_name: str,
    condition: "str | ClauseElement",
    schema: "str | None" = None,
    patience: Patience = SHORT,
) -> None:
    """Add a CHECK while the table is read and written: NOT VALID first, then validated.

    A rerun goes on: a constraint of this name and definition is validated if it is not yet, and left as it is if it
    is. ``condition`` is SQL text or SQLAlchemy's. The name goes through the naming conventions, as with
    ``op.create_check_constraint``. Commits what the revision did before, so give it a revision of its own.

    Locks: ``ACCESS EXCLUSIVE`` on the table for a moment (ADD … NOT VALID), tried with ``patience``; then
    ``SHARE UPDATE EXCLUSIVE``, which holds up neither readers nor writers, while all rows are read (VALIDATE).

    Raises :class:`headway.operations.constraint_work.RowsInTheWay` when rows do not obey it (it is taken back then),
    :class:`headway.operations.constraint_work.ConstraintRefused`, :class:`headway.place.CannotCommit`,
    :class:`headway.operations.tables.NoSuchTable`, :class:`headway.short_locks.LockUnavailable`. Elsewhere than on
    PostgreSQL it is ``op.create_check_constraint``. Undone by :func:`drop_constraint_online`.
    """
    place = here()
    if not place.is_postgres:
        tell(place.link, Noticed(f"The check of {table_name} is added as {place.dialect.name} adds checks."))
        return plainly.add_check(place, constraint_name, table_name, clause(condition), schema)
    wanted = CheckWanted(place.context, constraint_name, table_name, condition)
    name = wanted.name
    if place.is_offline:
        table_text = quoted(PLAIN, schema, table_name)
        return write_steps(place, wanted.statement(table_name, schema), validation(table_text, name))
    with site(place, table_name, schema, patience) as at:
        session, table = at.session, at.table
        work = Work(
            at,
            name,
            (WantedLock(table.quoted),),
            f"FROM {table.quoted} WHERE NOT ({wanted.condition_text})",
            f"the check {name}",
        )

        def step() -> Step:
            on_copy = wanted.statement(table.name, "pg_temp")
            definition = session.do(lambda one: check_wanted(one, table, name, on_copy))
            return next_step(name, session.do(lambda one: constraints_of(one, table)), definition)

        work.until_valid(step, wanted.statement(table.name, table.schema))


def drop_constraint_online(
    constraint_name: str,
    table_name: str,
    type_: "str | None" = None,
    schema: "str | None" = None,
    patience: Patience = SHORT,
) -> None:
    """Drop a constraint with short waits for its locks; one that is not there (any more) is no failure.

    ``type_`` as for ``op.drop_constraint`` (``check``, ``foreignkey``, ``unique``, ``primary``): with it the name
    goes through the naming conventions. Commits what the revision did before.

    Locks: ``ACCESS EXCLUSIVE`` for a moment on the table, and on the one that a foreign key refers to, tried with
    ``patience``. Raises :class:`headway.place.CannotCommit`, :class:`headway.operations.tables.NoSuchTable`,
    :class:`headway.short_locks.LockUnavailable`. Elsewhere than on PostgreSQL it is ``op.drop_constraint``. Undone by
    whatever added it.
    """
    place = here()
    if not place.is_postgres:
        return plainly.drop_constraint(place, constraint_name, table_name, type_, schema)
    name = name_to_drop(place.operations, constraint_name, table_name, schema, type_)
    drop = f"DROP CONSTRAINT IF EXISTS {quoted(PLAIN, name)}"
    if place.is_offline:
        return write_steps(place, f"ALTER TABLE {quoted(PLAIN, schema, table_name)} {drop}")
    with site(place, table_name, schema, patience) as at:
        referent = at.session.do(lambda one: referent_of(one, at.table, name))
        locks = tuple(WantedLock(one) for one in (at.table.quoted, referent) if one)
        at.shortly(f"ALTER TABLE {at.table.quoted} {drop}", locks=locks)
