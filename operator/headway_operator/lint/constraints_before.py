"""Which CHECK constraints on a column earlier statements of a history have made, and none has dropped. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from headway_operator.lint import changes
from headway_operator.lint.changes import Change, Constraint
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.tree import columns_in


def checks_before(revision: Revision, found: Of[Change], column: str) -> tuple[Constraint, ...]:
    """The CHECKs on this column of the statement's table, as they were just before it."""
    table = found.change.table
    known: list[Constraint] = []
    for change in _before(revision, found):
        match change:
            case changes.DropTable(table=dropped) if dropped == table:
                known = []
            case changes.DropConstraint(name=name) if change.table == table:
                # PostgreSQL has named those that have no name here: it may be any of them.
                known = [one for one in known if one.name not in ("", name)]
            case changes.CreateTable() | changes.AddColumn() | changes.AddConstraint() if (
                change.table == table
            ):
                known += [one for one in _made(change) if one.kind == "check"]
    return tuple(one for one in known if column in (*one.columns, *columns_in(one.expression)))


def _before(revision: Revision, found: Of[Change]) -> Iterator[Change]:
    for one in revision.earlier:
        yield from (step.change for step in one.steps)
    yield from (step.change for step in revision.steps[: revision.steps.index(found.step)])


def _made(change: changes.CreateTable | changes.AddColumn | changes.AddConstraint) -> tuple[Constraint, ...]:
    match change:
        case changes.AddConstraint(constraint=constraint):
            return (constraint,)
        case changes.AddColumn(column=column):
            return column.constraints
    return (*change.constraints, *(one for column in change.columns for one in column.constraints))
