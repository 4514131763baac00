"""What a call of ``alter_column`` says of the column as it was before. Pure.

The call that leads to the statement is asked; within ``batch_alter_table`` the statements are those of the batch, and
so are their lines. Another call is asked only where none leads there, and only one that names the same table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headway_contract.facts import Argument, Call
from headway_operator.lint.reading_calls import argument, text_of
from headway_operator.lint.statements import call_at
from headway_operator.lint.tree import qualified

_BATCH = ".batch_alter_table"


@dataclass(frozen=True)
class _Alteration:
    """A call of ``alter_column``; a name is empty where it is not written out."""

    call: Call
    leading: Call
    """The call whose lines its statements have: itself, or its batch."""
    table: str
    column: str

    def may_be(self, table: str, column: str) -> bool:
        """It does not say that it is about another one."""
        return self.table in ("", table) and self.column in ("", column)


def told_by_call(calls: Iterable[Call], line: int, table: str, column: str, name: str) -> Argument | None:
    """This argument of the call that leads to a statement at this line about this column."""
    calls = tuple(calls)
    leading = call_at(calls, line)
    for one in _alterations(calls):
        leads = bool(line) and one.leading.line <= line <= max(one.leading.end_line, one.leading.line)
        is_asked = one.may_be(table, column) if leads else (one.table, one.column) == (table, column)
        if is_asked and (leads or leading is None):
            given = argument(one.call, 99, name)
            if given is not None:
                return given
    return None


def _alterations(calls: Iterable[Call]) -> Iterator[_Alteration]:
    """In the order of the file; which of two batches is meant, one within the other, is not written in a call."""
    batch: Call | None = None
    for call in calls:
        depth = sum(block.endswith(_BATCH) for block in call.blocks)
        if call.name.endswith(_BATCH) and not depth:
            batch = call
        elif call.name.endswith(".alter_column"):
            if depth == 0 or call.name.startswith("alembic.op."):
                yield _Alteration(call, call, _table_of(call), text_of(argument(call, 1, "column_name")))
            elif depth == 1 and batch is not None:
                column = text_of(argument(call, 0, "column_name"))
                yield _Alteration(call, batch, _table_of(batch), column)


def _table_of(call: Call) -> str:
    table = text_of(argument(call, 0, "table_name"))
    return table and qualified(text_of(argument(call, 99, "schema")), table)
