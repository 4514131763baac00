"""Which columns a revision fills: by an UPDATE of its own, or by the library."""

from collections.abc import Iterator
from dataclasses import dataclass

from headway_contract.facts import Call
from headway_operator.lint.changes import Update
from headway_operator.lint.context import Of, Revision, asked_once
from headway_operator.lint.parser import Tree, Unreadable, trees
from headway_operator.lint.reading_calls import argument, assignments_of, column_in, table_of_call, text_of
from headway_operator.lint.tree import columns_in, opened


@dataclass(frozen=True)
class Filled:
    """A column that is filled. ``value`` and ``where`` are None when they are not written out, or not there."""

    table: str
    column: str
    place: Of[Update] | Call
    value: Tree | None = None
    where: Tree | None = None

    @property
    def line(self) -> int:
        """Of the file."""
        return self.place.line if isinstance(self.place, Call) else self.place.step.statement.line

    @property
    def by_backfill(self) -> bool:
        """By the library: in batches, resumed, and complete before the next step."""
        return isinstance(self.place, Call)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that its value is made from."""
        return columns_in(self.value)


@asked_once
def filled_columns(revision: Revision) -> Iterator[Filled]:
    """All of them, in the order of the steps, then of the calls."""
    for found in revision.of(Update):
        for column, value in found.change.assignments:
            yield Filled(found.change.table, column, found, value, found.change.where)
    for call in revision.operations("backfill"):
        yield from _of_backfill(call)


def _of_backfill(call: Call) -> Iterator[Filled]:
    table = table_of_call(call, "table")
    where = expression_of(text_of(argument(call, 2, "where")))
    for column, value in assignments_of(argument(call, 1, "set_")):
        yield Filled(table, column, call, expression_of(value), where)


@asked_once
def new_columns_filled(revision: Revision) -> Iterator[Filled]:
    """Those that an operation adds and fills; the condition is the operation's own."""
    for call in revision.operations("add_column_with_backfill"):
        name = column_in(argument(call, 1, "column")).name
        value = text_of(argument(call, 2, "value"))
        yield Filled(table_of_call(call), name, call, expression_of(value))
    for call in revision.operations("rename_column_expand"):
        old, new = text_of(argument(call, 1, "old")), text_of(argument(call, 2, "new"))
        reference = {"ColumnRef": {"fields": [{"String": {"sval": old}}]}}
        yield Filled(table_of_call(call), new, call, reference)


def expression_of(text: str) -> Tree | None:
    """The tree of an expression in SQL, None when there is none or it is not readable."""
    if not text:
        return None
    try:
        _, body = opened(trees(f"SELECT ({text})")[0])
    except (Unreadable, IndexError):
        return None
    targets: list[Tree] = body.get("targetList", [])
    value: Tree | None = targets[0].get("ResTarget", {}).get("val") if targets else None
    return value
