"""A trigger that fills another column still reads this one, and PostgreSQL does not say so (53)."""

from collections.abc import Iterator

from headway_contract.facts import Call
from headway_operator.lint.changes import AlterType, DropColumn, RenameColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.filled import Filled, new_columns_filled
from headway_operator.lint.findings import Finding
from headway_operator.lint.new_rows import is_filled_by_trigger
from headway_operator.lint.statements import operation_of

DONE = {DropColumn: "dropped", RenameColumn: "renamed", AlterType: "given another type"}


def column_is_read_by_a_trigger_of_the_library(revision: Revision) -> Iterator[Finding]:
    """A column is dropped, renamed or gets another type while a trigger of ``headway`` reads or writes it.

    ``headway.add_column_with_backfill`` leaves a trigger that fills the new column in rows of code that does not
    know it, until ``headway.stop_filling_column``; ``headway.rename_column_expand`` leaves one that keeps both
    columns the same, until ``headway.rename_column_contract``. PostgreSQL does not know which columns a trigger's
    function names: the change goes through, and then each INSERT and UPDATE of the application fails within the
    trigger, or is given a value that does not fit. Found where the operation is in the same run, or in the history
    that ``headway lint`` reads.

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
        change, line = found.change, found.step.statement.line
        for filled in _filled_by_triggers(revision, change.table, line):
            writes = filled.column == change.column and not isinstance(change, AlterType)
            if writes or change.column in filled.sources:
                does = "writes" if writes else "reads"
                yield revision.finding(
                    found,
                    f"{change.table}.{change.column} is {DONE[type(change)]} while the trigger that fills"
                    f" {filled.table}.{filled.column} {does} it.",
                    "The application's next INSERT or UPDATE of it fails in the trigger, or gets a wrong value.",
                    _safe(filled),
                )


def _filled_by_triggers(revision: Revision, table: str, line: int) -> Iterator[Filled]:
    for one in (*revision.earlier, revision):
        for filled in new_columns_filled(one):
            if filled.table == table and is_filled_by_trigger(revision, table, filled.column, line):
                yield filled


def _safe(filled: Filled) -> str:
    if isinstance(filled.place, Call) and operation_of(filled.place) == "add_column_with_backfill":
        return (
            f"Call `headway.stop_filling_column('{filled.table}', '{filled.column}')` in a revision before this one,"
            " once the application writes the column itself."
        )
    return "Let `headway.rename_column_contract` take the trigger and the old column away."
