"""A trigger of the library names columns, and PostgreSQL does not know all of them (53)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AlterType, DropColumn, RenameColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding
from headway_operator.lint.left_triggers import FILL, LeftTrigger, triggers_before

DONE = {DropColumn: "dropped", RenameColumn: "renamed", AlterType: "given another type"}
REFUSED = "PostgreSQL refuses it, because the trigger depends on the column, and the run ends there."
FAILS = "The application's next INSERT or UPDATE fails in the trigger."
MISFITS = "The application's next INSERT or UPDATE fails in the trigger, or gets a value that does not fit."


def column_is_read_by_a_trigger_of_the_library(revision: Revision) -> Iterator[Finding]:
    """A column is dropped, renamed or gets another type while a trigger of ``headway`` reads or writes it.

    ``headway.add_column_with_backfill`` leaves a trigger that fills the new column in rows of code that does not
    know it, until ``headway.stop_filling_column``. ``headway.rename_column_expand`` and
    ``headway.change_type_expand`` leave one that keeps two columns the same, until their contract step. PostgreSQL
    refuses to drop a column that such a trigger writes, or to change its type. But which others the trigger's
    function names it does not know, nor does it refuse a new name: the change goes through, and then each INSERT
    and UPDATE of the application fails within the trigger, or is given a value that does not fit. Found where the
    operation is in the same run, in the history that ``headway lint`` reads, or in a revision that is applied, where
    a database is asked.

    Anti-pattern::

        headway.add_column_with_backfill("books", sa.Column("shelf", sa.Text()), "'S' || (pages / 10)")
        # in a later revision
        op.drop_column("books", "pages")

    Best practice::

        # once the application writes the column itself
        headway.stop_filling_column("books", "shelf")
        # in a revision after that
        op.drop_column("books", "pages")
    """
    for found in revision.of(DropColumn, RenameColumn, AlterType):
        change = found.change
        for trigger in triggers_before(revision, found):
            why = _why(change, trigger)
            if why:
                yield revision.finding(
                    found,
                    f"{change.table}.{change.column} is {DONE[type(change)]} while {_told(change, trigger)}.",
                    why,
                    _safe(change, trigger),
                )


def _why(change: DropColumn | RenameColumn | AlterType, trigger: LeftTrigger) -> str:
    """Empty where nothing breaks."""
    if change.column in trigger.columns:
        if isinstance(change, RenameColumn):
            return FAILS
        # The trigger goes with the column.
        return "" if isinstance(change, DropColumn) and change.cascade else REFUSED
    if change.column in trigger.reads:
        return MISFITS if isinstance(change, AlterType) else FAILS
    return ""


def _told(change: DropColumn | RenameColumn | AlterType, trigger: LeftTrigger) -> str:
    by_whom = ", which an applied revision has left," if trigger.is_applied else ""
    if trigger.operation == FILL:
        does = "writes" if change.column in trigger.columns else "reads"
        return f"the trigger that fills {change.table}.{trigger.columns[0]}{by_whom} {does} it"
    old, new = trigger.columns
    other = old if change.column == new else new
    return f"a trigger{by_whom} keeps it and {change.table}.{other} the same"


def _safe(change: DropColumn | RenameColumn | AlterType, trigger: LeftTrigger) -> str:
    if trigger.operation != FILL:
        step = trigger.operation.removesuffix("expand")
        end = "undo" if isinstance(change, DropColumn) and change.column == trigger.columns[1] else "contract"
        takes = "the column" if isinstance(change, DropColumn) else "one of the columns"
        return f"Let `headway.{step}{end}` take the trigger and {takes} away."
    schema, _, name = change.table.rpartition(".")
    where = f", schema='{schema}'" if schema else ""
    arguments = f"('{name}', '{trigger.columns[0]}'{where})"
    if isinstance(change, DropColumn) and change.column in trigger.columns:
        return (
            f"Drop it by `headway.drop_column_with_backfill{arguments}`, which takes the trigger away, too."
        )
    return (
        f"Call `headway.stop_filling_column{arguments}` in a revision before this one,"
        " once the application writes the column itself."
    )
