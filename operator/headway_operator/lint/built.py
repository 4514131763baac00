"""Which indexes a revision builds: by a statement of its own, or by the library."""

from collections.abc import Iterator
from dataclasses import dataclass

from headway_contract.facts import Call
from headway_operator.lint.changes import CreateIndex
from headway_operator.lint.context import Of, Revision, asked_once
from headway_operator.lint.reading_calls import argument, text_of, value_of
from headway_operator.lint.tree import qualified


@dataclass(frozen=True)
class Built:
    """An index that is built."""

    name: str
    table: str
    columns: tuple[str, ...]
    line: int
    place: Of[CreateIndex] | Call


@asked_once
def built_indexes(revision: Revision) -> Iterator[Built]:
    """All of them, by statements, then by calls of the library."""
    for found in revision.of(CreateIndex):
        index = found.change
        yield Built(index.name, index.table, index.columns, found.step.statement.line, found)
    for call in revision.operations("create_index_concurrently"):
        columns = value_of(argument(call, 2, "columns"))
        table = qualified(text_of(argument(call, 3, "schema")), text_of(argument(call, 1, "table_name")))
        if isinstance(columns, (list, tuple)):
            name = text_of(argument(call, 0, "index_name"))
            yield Built(name, table, tuple(str(one) for one in columns), call.line, call)
