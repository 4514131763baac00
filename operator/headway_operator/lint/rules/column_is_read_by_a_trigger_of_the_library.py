"""A trigger of the library names columns, and PostgreSQL does not know all of them (53)."""

from collections.abc import Iterator

from headway_contract.facts import Call
from headway_operator.lint.changes import AlterType, DropColumn, RenameColumn
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.findings import Finding
from headway_operator.lint.left_triggers import FILL, LeftTrigger, triggers_beside
from headway_operator.lint.library_drops import dropped_by_library
from headway_operator.lint.statements import operation_of

DONE = {DropColumn: "dropped", RenameColumn: "renamed", AlterType: "given another type"}
REFUSED = "PostgreSQL refuses it, because the trigger depends on the column, and the run ends there."
REFUSED_BY_STEP = "The step refuses it, and the run ends there."
FAILS = "The application's next INSERT or UPDATE fails in the trigger."
MISFITS = "The application's next INSERT or UPDATE fails in the trigger, or gets a value that does not fit."

_OfColumn = DropColumn | RenameColumn | AlterType
_Place = Of[_OfColumn] | Call


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
    for place, change in _changes(revision):
        for trigger in triggers_beside(revision, place, change.table):
            why = _why(place, change, trigger)
            if why:
                yield revision.finding(
                    place,
                    f"{change.table}.{change.column} is {DONE[type(change)]} while {_told(change, trigger)}.",
                    why,
                    _safe(place, change, trigger),
                )


def _changes(revision: Revision) -> Iterator[tuple[_Place, _OfColumn]]:
    for found in revision.of(DropColumn, RenameColumn, AlterType):
        yield found, found.change
    yield from dropped_by_library(revision)


def _why(place: _Place, change: _OfColumn, trigger: LeftTrigger) -> str:
    """Empty where nothing breaks."""
    if change.column not in (*trigger.columns, *trigger.reads):
        return ""
    if isinstance(place, Call) and operation_of(place) == "rename_column_contract":
        return REFUSED_BY_STEP
    if change.column in trigger.reads:
        return MISFITS if isinstance(change, AlterType) else FAILS
    if isinstance(change, RenameColumn):
        return FAILS
    # The trigger goes with the column.
    return "" if isinstance(change, DropColumn) and change.cascade else REFUSED


def _told(change: _OfColumn, trigger: LeftTrigger) -> str:
    by_whom = ", which an applied revision has left," if trigger.is_applied else ""
    if trigger.operation == FILL:
        does = "writes" if change.column in trigger.columns else "reads"
        return f"the trigger that fills {change.table}.{trigger.columns[0]}{by_whom} {does} it"
    old, new = trigger.columns
    other = old if change.column == new else new
    return f"a trigger{by_whom} keeps it and {change.table}.{other} the same"


def _safe(place: _Place, change: _OfColumn, trigger: LeftTrigger) -> str:
    if trigger.operation != FILL:
        step = trigger.operation.removesuffix("expand")
        end = "undo" if isinstance(change, DropColumn) and change.column == trigger.columns[1] else "contract"
        takes = "the column" if isinstance(change, DropColumn) else "one of the columns"
        return f"Let `headway.{step}{end}` take the trigger and {takes} away."
    schema, _, name = change.table.rpartition(".")
    where = f", schema='{schema}'" if schema else ""
    arguments = f"('{name}', '{trigger.columns[0]}'{where})"
    is_dropped = isinstance(change, DropColumn) and change.column in trigger.columns
    if is_dropped and not isinstance(place, Call):
        return (
            f"Drop it by `headway.drop_column_with_backfill{arguments}`, which takes the trigger away, too."
        )
    return (
        f"Call `headway.stop_filling_column{arguments}` in a revision before this one,"
        " once the application writes the column itself."
    )
