"""Which columns steps of the library drop: no statement of the revision's own says so."""

from collections.abc import Iterator

from headway_contract.facts import Call
from headway_operator.lint.changes import DropColumn
from headway_operator.lint.context import Revision
from headway_operator.lint.reading_calls import argument, shadow_of, table_of_call, text_of
from headway_operator.lint.statements import operation_of

_COLUMN = {
    "drop_column_with_backfill": (1, "column_name"),
    "rename_column_contract": (1, "old"),
    "rename_column_undo": (2, "new"),
}


def dropped_by_library(revision: Revision) -> Iterator[tuple[Call, DropColumn]]:
    """The calls, in their order, with what they drop; those that do not write it out are left out."""
    for call in revision.operations(*_COLUMN, "change_type_undo"):
        named = _COLUMN.get(operation_of(call))
        column = text_of(argument(call, *named)) if named else shadow_of(call)
        table = table_of_call(call)
        if table and column:
            yield call, DropColumn(table, column)
