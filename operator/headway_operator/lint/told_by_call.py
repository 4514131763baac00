"""What a call of ``alter_column`` says of the column as it was before. Pure.

The call that leads to the statement is asked; within ``batch_alter_table`` the statements are those of the batch, and
so are their lines. Another call is asked only where none leads there, and only one that names the same table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headway_contract.facts import Argument, Call
from headway_operator.lint.reading_calls import argument, text_of
from headway_operator.lint.tree import qualified

_BATCH = ".batch_alter_table"


@dataclass(frozen=True)
class Alteration:
    """A call of ``alter_column``; a name is empty where it is not written out."""

    call: Call
    batch: Call | None = None

    @property
    def table(self) -> str:
        """The one that is altered; of a batch, the batch's."""
        of = self.batch or self.call
        table = text_of(argument(of, 0, "table_name"))
        return table and qualified(text_of(argument(of, 99, "schema")), table)

    @property
    def column(self) -> str:
        """The one that is altered."""
        return text_of(argument(self.call, 1 if self.batch is None else 0, "column_name"))

    def leads_to(self, line: int) -> bool:
        """Its statements are at the lines of the batch, if there is one."""
        leading = self.batch or self.call
        return line > 0 and leading.line <= line <= max(leading.end_line, leading.line)


def told_by_call(
    among: Iterable[Alteration], is_led_to: bool, line: int, table: str, column: str, name: str
) -> Argument | None:
    """This argument of the call that leads to a statement at this line about this column.

    ``is_led_to``: any call leads there.
    """
    for one in among:
        if one.leads_to(line):
            is_asked = one.table in ("", table) and one.column in ("", column)
        else:
            is_asked = not is_led_to and (one.table, one.column) == (table, column)
        given = argument(one.call, 99, name) if is_asked else None
        if given is not None:
            return given
    return None


def alterations(calls: Iterable[Call]) -> Iterator[Alteration]:
    """Those among the calls, in the order of the file.

    Of two batches, one within the other, a call does not say which one it is of: it is left out.
    """
    batch: Call | None = None
    for call in calls:
        depth = sum(block.endswith(_BATCH) for block in call.blocks)
        if call.name.endswith(_BATCH) and not depth:
            batch = call
        elif call.name.endswith(".alter_column"):
            if depth == 0 or call.name.startswith("alembic.op."):
                yield Alteration(call)
            elif depth == 1 and batch is not None:
                yield Alteration(call, batch)
