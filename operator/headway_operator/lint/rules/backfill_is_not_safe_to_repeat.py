"""A backfill that is interrupted and run again would change rows twice (59)."""

from collections.abc import Iterator

from headway_operator.lint.context import Revision
from headway_operator.lint.expressions import null_tests_in, surely_volatile_in
from headway_operator.lint.filled import Filled, filled_columns
from headway_operator.lint.findings import Finding
from headway_operator.lint.reading_calls import argument
from headway_operator.lint.tree import columns_in


def backfill_is_not_safe_to_repeat(revision: Revision) -> Iterator[Finding]:
    """Rows are changed in pieces, by an expression that gives something else the second time.

    A batch loop that is killed starts again. ``balance * 100`` is then applied twice to the rows that were done, and
    ``random()`` gives them other values than the application has read meanwhile. Either the condition must leave out
    what is done, or the place must be kept in the transaction of each batch, as ``headway.backfill`` does.

    Anti-pattern::

        for low in range(0, top, 1000):
            with op.get_context().autocommit_block():
                op.execute(f"UPDATE accounts SET balance = balance * 100 WHERE id BETWEEN {low} AND {low + 999}")

    Best practice::

        headway.backfill("accounts", {"balance_cents": "balance * 100"}, where="balance_cents IS NULL")
    """
    for filled in filled_columns(revision):
        why = _why(filled)
        if why and _commits_in_pieces(filled) and not revision.is_harmless(filled.table, filled.place):
            yield revision.finding(
                filled.place,
                f"{filled.table}.{filled.column} is set from {why}, and no condition leaves out what is done.",
                "Interrupted and run again, rows that were done are changed a second time.",
                f"Fill a new column `WHERE … IS NULL`, or use `headway.backfill({filled.table!r}, …, "
                "exactly_once=True)`.",
            )


def _why(filled: Filled) -> str:
    """What makes the second time differ, empty when nothing does."""
    if filled.column in null_tests_in(filled.where) or filled.column in columns_in(filled.where):
        return ""
    if filled.column in filled.sources:
        return "itself"
    volatile = surely_volatile_in(filled.value)
    return f"{volatile}()" if volatile else ""


def _commits_in_pieces(filled: Filled) -> bool:
    """What was done stays when it is interrupted; the library finds out by itself, unless it is told not to."""
    place = filled.place
    if filled.by_backfill:
        told = argument(place, 99, "exactly_once") if not hasattr(place, "step") else None
        return told is not None and told.text == "False"
    return hasattr(place, "step") and (place.step.statement.autocommit or place.step.in_loop)
