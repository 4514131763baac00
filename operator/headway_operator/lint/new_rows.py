"""Which columns have a value in every new row, also one of code that does not know them: the run's last word on it.

By a default, of before the run too where a catalog tells it, or by a trigger of the library. What a trigger of the
project's own does is not known.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from headway_contract.facts import Call
from headway_operator.lint.changes import AddColumn, AddIdentity, Change, Column, CreateTable, SetDefault
from headway_operator.lint.context import Revision, asked_once
from headway_operator.lint.left_triggers import triggers_after
from headway_operator.lint.parser import Tree
from headway_operator.lint.reading_calls import argument, column_in, table_of_call

SERIALS = ("smallserial", "serial", "bigserial")


@dataclass(frozen=True)
class _Default:
    """A column has a default from this line on, or no more."""

    table: str
    column: str
    is_there: bool
    line: int


def has_value_in_new_rows(revision: Revision, table: str, column: str) -> bool:
    """After the revision and all that came before it in the run."""
    before = revision.size_of(table)
    is_given = before is not None and column in before.defaults
    for one in (*revision.earlier, revision):
        for default in _defaults(one):
            if (default.table, default.column) == (table, column):
                is_given = default.is_there
    return is_given or any(column in one.columns for one in triggers_after(revision, table))


@asked_once
def _defaults(revision: Revision) -> Iterator[_Default]:
    by_steps = [
        default
        for found in revision.of(CreateTable, AddColumn, SetDefault, AddIdentity)
        for default in _of_change(found.change, found.step.statement.line)
    ]
    by_calls = [_of_call(call) for call in revision.operations("add_column_with_backfill")]
    yield from sorted((*by_steps, *by_calls), key=lambda one: one.line)


def _of_change(change: Change, line: int) -> Iterator[_Default]:
    match change:
        case CreateTable(table=table, columns=columns):
            for column in columns:
                yield _Default(table, column.name, _has_default(column), line)
        case AddColumn(table=table, column=column):
            yield _Default(table, column.name, _has_default(column), line)
        case SetDefault(table=table, column=name, default=default):
            yield _Default(table, name, _is_value(default), line)
        case AddIdentity(table=table, column=name):
            yield _Default(table, name, True, line)


def _has_default(column: Column) -> bool:
    is_numbered = column.is_identity or column.type.name in SERIALS
    return is_numbered or bool(column.generated) or _is_value(column.default)


def _is_value(default: Tree | None) -> bool:
    return default is not None and not default.get("A_Const", {}).get("isnull")


def _of_call(call: Call) -> _Default:
    column = column_in(argument(call, 1, "column"))
    return _Default(table_of_call(call), column.name, column.has_default, call.line)
