"""What only the old code needs is taken away before anybody knows that the new place is complete (60)."""

from collections.abc import Iterator
from dataclasses import dataclass

from headway_contract.facts import Call
from headway_operator.lint.changes import DropColumn, SetNotNull
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.filled import Filled, filled_columns, new_columns_filled
from headway_operator.lint.findings import Finding, Severity
from headway_operator.lint.new_rows import has_value_in_new_rows
from headway_operator.lint.reading_calls import argument, table_of_call, text_of


def contract_step_runs_with_its_backfill(revision: Revision) -> Iterator[Finding]:
    """A column is dropped, or made NOT NULL, in the same run in which its values are filled.

    Application code of the last release still writes while the run goes on: rows that it inserts after the backfill
    have no value in the new column, and what it reads from the old one is gone. Only when the new release is rolled
    out everywhere, and a look shows that no row is left, may the old column go. ``post_deploy = True`` in a revision
    keeps it behind that moment. NOT NULL may come at once where new rows have a value whoever writes them: by a
    default (of an applied revision too, where a database is asked), or by the trigger of
    ``headway.add_column_with_backfill``, until ``headway.stop_filling_column``.

    An error where one revision does both; a warning where two of one run do, as they may be deployed apart, and on a
    way down, which comes after the application has been rolled back.

    Anti-pattern::

        op.execute("UPDATE users SET full_name = name")
        op.drop_column("users", "name")

    Best practice::

        # in this release
        headway.rename_column_expand("users", "name", "full_name")
        # in a revision with post_deploy = True
        headway.rename_column_contract("users", "name", "full_name")
    """
    if not revision.meets_running_code:
        return
    for step in _contract_steps(revision):
        change = step.change
        if revision.is_harmless(change.table, step.place):
            continue
        here, before = _filled(change, revision), (_filled(change, one) for one in revision.earlier)
        filled = here or next((one for one in before if one), None)
        if filled is None or (isinstance(change, SetNotNull) and _has_value(revision, step)):
            continue
        is_certain = here is not None and not revision.facts.is_downgrade
        yield _finding(revision, step, filled, Severity.ERROR if is_certain else Severity.WARNING)


@dataclass(frozen=True)
class _Step:
    """By a statement of the revision, or by the library."""

    change: DropColumn | SetNotNull
    place: Of[DropColumn | SetNotNull] | Call


def _contract_steps(revision: Revision) -> Iterator[_Step]:
    for found in revision.of(DropColumn, SetNotNull):
        yield _Step(found.change, found)
    for call in revision.operations("set_not_null_online"):
        yield _Step(SetNotNull(table_of_call(call), text_of(argument(call, 1, "column_name"))), call)
    for call in revision.operations("rename_column_contract"):
        yield _Step(DropColumn(table_of_call(call), text_of(argument(call, 1, "old"))), call)


def _filled(change: DropColumn | SetNotNull, revision: Revision) -> Filled | None:
    """What is filled from the column that goes, or what is filled in the column that may not be NULL any more."""
    if not change.table or not change.column:
        return None
    for filled in (*filled_columns(revision), *new_columns_filled(revision)):
        if filled.table == change.table and (
            change.column == filled.column
            if isinstance(change, SetNotNull)
            else change.column in filled.sources
        ):
            return filled
    return None


def _has_value(revision: Revision, step: _Step) -> bool:
    """Code that does not know the column writes rows that have one."""
    if has_value_in_new_rows(revision, step.change.table, step.change.column):
        return True
    return isinstance(step.place, Of) and revision.has_default_by_call(step.place)


def _finding(revision: Revision, step: _Step, filled: Filled, severity: Severity) -> Finding:
    change = step.change
    is_drop = isinstance(change, DropColumn)
    done = "dropped" if is_drop else "made NOT NULL"
    filling = "backfill" if filled.by_backfill else "UPDATE"
    return revision.finding(
        step.place,
        f"{change.table}.{change.column} is {done} in the run that fills {filled.table}.{filled.column}.",
        "The application still runs the code that uses it: its next statement fails."
        if is_drop
        else f"Rows that the running application inserts after the {filling} have no value: its next insert fails.",
        _safe(is_drop, revision.facts.is_downgrade),
        severity,
    )


def _safe(is_drop: bool, is_downgrade: bool) -> str:
    if not is_downgrade:
        return "Do this in a revision with `post_deploy = True`, once the new code runs everywhere."
    code = "that does not use it" if is_drop else "that gives it a value in every row"
    return f"Roll the application back first, everywhere, to code {code}."
