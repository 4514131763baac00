"""Many rows are changed by one statement (55)."""

from collections.abc import Iterator

from headway_operator.lint.changes import Delete, Update
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.expressions import is_steered_by_constants
from headway_operator.lint.findings import Finding, Severity
from headway_operator.lint.tree import nodes


def update_is_not_batched(revision: Revision) -> Iterator[Finding]:
    """One UPDATE or DELETE goes over a table that is in use.

    Until it ends, every row that it has changed stays locked: requests that write one of them wait, and pile up. All
    old rows stay in the table beside the new ones, and replicas fall behind. Killed in the middle, all is to be done
    again. A condition that compares with constants only may hit a few rows; that is a warning.

    Anti-pattern::

        op.execute("UPDATE users SET status = 'active' WHERE status IS NULL")

    Best practice::

        headway.backfill("users", {"status": "'active'"}, where="status IS NULL")
    """
    for found in revision.of(Update, Delete):
        if not revision.is_harmless(found.change.table, found) and not is_a_batch(found):
            yield _finding(revision, found)


def is_a_batch(found: Of[Update | Delete]) -> bool:
    """It stands in a loop and takes a part of the table, by a limit or by a range."""
    where = found.change.where
    kinds = {name for name, _ in nodes(where)}
    return found.step.in_loop and bool(kinds & {"SubLink", "ParamRef", "A_Expr"})


def _finding(revision: Revision, found: Of[Update | Delete]) -> Finding:
    table, is_update = found.change.table, isinstance(found.change, Update)
    few = is_steered_by_constants(found.change.where)
    verb = "updates" if is_update else "deletes from"
    return revision.finding(
        found,
        f"One statement {verb} {table}{revision.size_text(table)}"
        f"{', however many rows its condition matches' if few else ''}.",
        "Each row that it has changed stays locked until all are done, so requests that write to it wait.",
        f"Use `headway.backfill({table!r}, …)` in a revision of its own: short transactions, resumed and throttled."
        if is_update
        else "Delete in batches that commit one by one, in a revision of its own.",
        Severity.WARNING if few else Severity.ERROR,
    )
