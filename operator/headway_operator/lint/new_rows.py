"""Which columns have a value in every new row, also one of code that does not know them: the run's last word on it.

By a default, of before the run too where a catalog tells it, or by a trigger of the library. What a trigger of the
project's own does is not known.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from headway_contract.facts import Call
from headway_operator.lint.changes import AddColumn, AddIdentity, Change, Column, CreateTable, SetDefault
from headway_operator.lint.context import Revision, asked_once
from headway_operator.lint.parser import Tree
from headway_operator.lint.reading_calls import argument, column_in, table_of_call, text_of
from headway_operator.lint.statements import operation_of

SERIALS = ("smallserial", "serial", "bigserial")
SHADOW = "__new"
"""What ``change_type_expand`` adds to the column's name, unless it is told another."""


@dataclass(frozen=True)
class Means:
    """What fills a column in new rows, from this line on, or no more."""

    table: str
    column: str
    by: str
    """``default`` or ``trigger``."""
    is_there: bool
    line: int


def has_value_in_new_rows(revision: Revision, table: str, column: str) -> bool:
    """After the revision and all that came before it in the run."""
    before = revision.size_of(table)
    there = {"default": before is not None and column in before.defaults}
    for one in (*revision.earlier, revision):
        for means in _means(one):
            if (means.table, means.column) == (table, column):
                there[means.by] = means.is_there
    return any(there.values())


def is_filled_by_trigger(revision: Revision, table: str, column: str, line: int) -> bool:
    """At this line of the revision a trigger of the library fills the column."""
    is_there = False
    for one in (*revision.earlier, revision):
        for means in _means(one):
            is_before = one is not revision or means.line < line
            if is_before and (means.table, means.column, means.by) == (table, column, "trigger"):
                is_there = means.is_there
    return is_there


@asked_once
def _means(revision: Revision) -> Iterator[Means]:
    by_steps = [
        means
        for found in revision.of(CreateTable, AddColumn, SetDefault, AddIdentity)
        for means in _of_change(found.change, found.step.statement.line)
    ]
    by_calls = [means for call in revision.operations() for means in _of_call(call)]
    yield from sorted((*by_steps, *by_calls), key=lambda one: one.line)


def _of_change(change: Change, line: int) -> Iterator[Means]:
    match change:
        case CreateTable(table=table, columns=columns):
            for column in columns:
                yield Means(table, column.name, "default", _has_default(column), line)
        case AddColumn(table=table, column=column):
            yield Means(table, column.name, "default", _has_default(column), line)
        case SetDefault(table=table, column=name, default=default):
            yield Means(table, name, "default", _is_value(default), line)
        case AddIdentity(table=table, column=name):
            yield Means(table, name, "default", True, line)


def _has_default(column: Column) -> bool:
    is_numbered = column.is_identity or column.type.name in SERIALS
    return is_numbered or bool(column.generated) or _is_value(column.default)


def _is_value(default: Tree | None) -> bool:
    return default is not None and not default.get("A_Const", {}).get("isnull")


def _of_call(call: Call) -> Iterator[Means]:
    table, second = table_of_call(call), text_of(argument(call, 1, "column_name"))
    match operation_of(call):
        case "add_column_with_backfill":
            column, wish = column_in(argument(call, 1, "column")), argument(call, 5, "fill_new_writes")
            yield Means(table, column.name, "default", column.has_default, call.line)
            # By default the library asks for a trigger where there is no default.
            yield Means(table, column.name, "trigger", wish is None or wish.text != "False", call.line)
        case "stop_filling_column" | "drop_column_with_backfill":
            yield Means(table, second, "trigger", False, call.line)
        case "rename_column_expand" | "rename_column_contract" | "rename_column_undo" as operation:
            for name in (text_of(argument(call, 1, "old")), text_of(argument(call, 2, "new"))):
                yield Means(table, name, "trigger", operation == "rename_column_expand", call.line)
        case "change_type_expand" | "change_type_contract" | "change_type_undo" as operation:
            old = text_of(argument(call, 1, "column"))
            for name in (old, text_of(argument(call, 99, "shadow")) or f"{old}{SHADOW}"):
                yield Means(table, name, "trigger", operation == "change_type_expand", call.line)
