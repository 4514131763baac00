"""What only the old code needs is taken away before anybody knows that the new place is complete (60)."""

from collections.abc import Iterator

from headway_operator.lint.changes import DropColumn, SetNotNull
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.filled import Filled, filled_columns
from headway_operator.lint.findings import Finding, Severity


def contract_step_runs_with_its_backfill(revision: Revision) -> Iterator[Finding]:
    """A column is dropped, or made NOT NULL, in the same run in which its values are filled.

    Application code of the last release still writes while the run goes on: rows that it inserts after the backfill
    have no value in the new column, and what it reads from the old one is gone. Only when the new release is rolled
    out everywhere, and a look shows that no row is left, may the old column go. ``post_deploy = True`` in a revision
    keeps it behind that moment.

    Anti-pattern::

        op.execute("UPDATE users SET full_name = name")
        op.drop_column("users", "name")

    Best practice::

        # in this release
        headway.rename_column_expand("users", "name", "full_name")
        # in a revision with post_deploy = True
        headway.rename_column_contract("users", "name", "full_name")
    """
    if revision.facts.post_deploy:
        return
    for found in revision.of(DropColumn, SetNotNull):
        if revision.is_harmless(found.change.table):
            continue
        here, before = _filled(found, revision), [_filled(found, one) for one in revision.earlier]
        filled = here or next((one for one in before if one), None)
        if filled is not None and not (filled.by_backfill and isinstance(found.change, SetNotNull)):
            yield _finding(revision, found, filled, Severity.ERROR if here else Severity.WARNING)


def _filled(found: Of[DropColumn | SetNotNull], revision: Revision) -> Filled | None:
    """What is filled from the column that goes, or what is filled in the column that may not be NULL any more."""
    change = found.change
    for filled in filled_columns(revision):
        if filled.table == change.table and (
            change.column == filled.column
            if isinstance(change, SetNotNull)
            else change.column in filled.sources
        ):
            return filled
    return None


def _finding(
    revision: Revision, found: Of[DropColumn | SetNotNull], filled: Filled, severity: Severity
) -> Finding:
    change = found.change
    is_drop = isinstance(change, DropColumn)
    done = "dropped" if is_drop else "made NOT NULL"
    return revision.finding(
        found,
        f"{change.table}.{change.column} is {done} in the run that fills {filled.table}.{filled.column}.",
        "The application still runs the code that uses it: its next statement fails."
        if is_drop
        else "Rows that the running application inserts after the UPDATE have no value: its next insert fails.",
        "Do this in a revision with `post_deploy = True`, once the new code runs everywhere.",
        severity,
    )
