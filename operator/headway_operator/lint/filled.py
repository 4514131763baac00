"""Which columns a revision fills: by an UPDATE of its own, or by a backfill of the library."""

from collections.abc import Iterator
from dataclasses import dataclass

from headway_contract.facts import Call
from headway_operator.lint.changes import Update
from headway_operator.lint.context import Of, Revision, asked_once
from headway_operator.lint.parser import Tree, Unreadable, trees
from headway_operator.lint.reading_calls import argument, assignments_of, text_of
from headway_operator.lint.tree import columns_in, opened, qualified


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
    schema = text_of(next((one for one in call.arguments if one.name == "schema"), None))
    table = qualified(schema, text_of(argument(call, 0, "table")))
    where = expression_of(text_of(argument(call, 2, "where")))
    for column, value in assignments_of(argument(call, 1, "set_")):
        yield Filled(table, column, call, expression_of(value), where)


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
