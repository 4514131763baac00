"""A column gets another name while old and new code run side by side: expand, deploy, contract."""

from headway.columns.copies import RENAME
from headway.columns.wanted import Wanted
from headway.operations.column_change import Change
from headway.operations.columns_offline import write_contract, write_expand, write_undo
from headway.operations.columns_place import place_on_postgres
from headway.short_locks import SHORT, Patience


def rename_column_expand(
    table_name: str, old: str, new: str, schema: "str | None" = None, patience: Patience = SHORT
) -> None:
    """Add the column ``new`` and keep it and ``old`` equal, whichever of the two is written.

    In this order: the column (same type, without NOT NULL), its default and two triggers in one transaction; a
    backfill of the rows from before; concurrently built copies of every index that contains the column; copies
    of its unique, check and foreign key constraints and of the foreign keys that refer to it, added NOT VALID
    and then validated; the unique index for a primary key, which changes hands in the contract step; NOT NULL;
    ANALYZE. Column comment and grants on the column are copied too. What cannot be copied is told (views,
    policies, statistics objects, triggers of your own, what single partitions have by themselves), an exclusion
    constraint is refused.

    What the triggers do: an INSERT that gives one column fills the other; given is what is not the column's
    default, so a default is put on the new column too, unless it differs at every evaluation (``nextval``). An
    UPDATE that changes one column changes the other. Both given and different, the new column wins. They
    compare values byte by byte, fire after your own triggers (by name), on COPY, MERGE and ON CONFLICT too, but
    not in sessions with ``session_replication_role = replica``, where a subscription applies rows.

    A rerun goes on where it stopped. Commits what the revision did before, so give it a revision of its own.

    Locks: ``ACCESS EXCLUSIVE`` on the table for a moment, tried with ``patience``; row locks of one batch;
    ``SHARE UPDATE EXCLUSIVE`` while indexes are built and constraints validated; ``SHARE ROW EXCLUSIVE`` for a
    moment on both tables of a foreign key.

    Models: until the contract step ``alembic check`` is clean with the old name, the new name, or both in the
    model.

    Raises :class:`headway.columns.wanted.CannotChange` with what to do (generated columns,
    partition keys, a column ``new`` of somebody else's), :class:`headway.short_locks.LockUnavailable`,
    :class:`headway.place.CannotCommit`, and what :func:`headway.backfill` and the building of indexes raise.
    PostgreSQL only. Undone by :func:`rename_column_undo`.
    """
    place = place_on_postgres("rename_column_expand")
    change = Change(place, table_name, schema, Wanted(RENAME, old, new), patience)
    write_expand(change) if place.is_offline else change.expand()


def rename_column_contract(
    table_name: str, old: str, new: str, schema: "str | None" = None, patience: Patience = SHORT
) -> None:
    """Drop the column ``old`` with its triggers, when no code knows it any more.

    Refuses while the backfill is not complete, while a look at all rows finds one that differs, while the
    triggers are disabled, while something that would go with the column has no finished copy, and while a view,
    policy or function needs it: with what to do. Then one transaction: the triggers, the primary key and the
    foreign keys that refer to the column change over to the new one (nothing is rewritten or read), a sequence
    that belongs to it moves, the column is dropped, and copies get the names that were still taken.

    A rerun after it has committed notices that nothing is to do. Old code that still runs fails from this
    moment.

    Locks: ``ACCESS SHARE`` for the look; ``ACCESS EXCLUSIVE`` on the table, and on those that refer to the
    column, for a moment, tried with ``patience``.

    Raises :class:`headway.columns.wanted.CannotChange`, :class:`headway.short_locks.LockUnavailable`,
    :class:`headway.place.CannotCommit`. Downgrade: ``rename_column_expand(table_name, new, old)``, which brings
    the old name back and keeps both equal.
    """
    place = place_on_postgres("rename_column_contract")
    change = Change(place, table_name, schema, Wanted(RENAME, old, new), patience)
    write_contract(change) if place.is_offline else change.contract()


def rename_column_undo(
    table_name: str, old: str, new: str, schema: "str | None" = None, patience: Patience = SHORT
) -> None:
    """The downgrade of :func:`rename_column_expand`: drop the column ``new`` with its triggers and copies.

    Also when a downgrade of the contract step has expanded the other way; then with all that the contract step
    looks at. Refuses while a row has a value in ``new`` that ``old`` has not. A rerun goes on.

    Locks and errors are those of :func:`rename_column_contract`.
    """
    place = place_on_postgres("rename_column_undo")
    change = Change(place, table_name, schema, Wanted(RENAME, old, new), patience)
    write_undo(change) if place.is_offline else change.undo()
