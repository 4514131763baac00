"""Whether a revision may do something to the columns of a table that its statements do not tell. Pure.

Its statements tell all when it is rendered to its end, and no change is made under a condition. Else its file is
asked: which tables the calls name that change columns. Operations of the library are never among the statements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from headway_contract.facts import Call
from headway_operator.lint import changes
from headway_operator.lint.reading_calls import argument, text_of, written_sql
from headway_operator.lint.statements import operation_of

if TYPE_CHECKING:
    from headway_operator.lint.context import Revision

_OF_THE_LIBRARY = re.compile(r"_column|column_|not_null|change_type")
"""Those of its operations that change columns."""
_OF_ALEMBIC = frozenset(
    {
        "add_column",
        "alter_column",
        "drop_column",
        "drop_table",
        "rename_table",
        "batch_alter_table",
        "invoke",
        "run_async",
    }
)
_EXECUTES = ("execute", "exec_driver_sql", "scalar", "scalars")
_CONDITIONS = ("if", "match", "try")
_HANDLES = frozenset({"op", "bind", "conn", "connection", "session", "engine"})
"""What functions of the application are handed when they are to work on the database."""


def may_touch(revision: Revision, table: str) -> bool:
    """Whether a column of this table may be another one after it than its steps say."""
    if "untold" not in revision.memo:
        revision.memo["untold"] = _untold(revision)
    calls, tables, is_any = revision.memo["untold"]
    name = table.rpartition(".")[2]
    return is_any or table in tables or any(_names(call, name) for call in calls)


def _untold(revision: Revision) -> tuple[tuple[Call, ...], frozenset[str], bool]:
    """Calls of which no statement tells all, tables of its statements if they do not, and whether it may be any."""
    calls = tuple(_changing(revision))
    if _tells_all(revision, calls):
        return tuple(filter(operation_of, calls)), frozenset(), _runs_a_block(revision)
    is_any = revision.facts.is_cut or _runs_a_block(revision) or _hands_over(revision)
    return calls, frozenset(step.change.table for step in revision.steps), is_any


def _changing(revision: Revision) -> Iterator[Call]:
    """The calls that may change a column."""
    for call in revision.facts.calls:
        prefix, _, last = call.name.rpartition(".")
        operation = operation_of(call)
        is_alembic = prefix == "alembic.op" and last in _OF_ALEMBIC
        if (operation and _OF_THE_LIBRARY.search(operation)) or is_alembic or last in _EXECUTES:
            yield call


def _tells_all(revision: Revision, calls: tuple[Call, ...]) -> bool:
    facts = revision.facts
    if facts.not_renderable or facts.is_cut or revision.unread:
        return False
    in_batches = (call for call in facts.calls if call.name.endswith(("_column", "alter_table")))
    return not any(block in _CONDITIONS for call in (*calls, *in_batches) for block in call.blocks)


def _names(call: Call, table: str) -> bool:
    """It is about this table, or does not say about which."""
    if call.name.rpartition(".")[2] in _EXECUTES:
        sql = written_sql(call)
        return not sql or re.search(rf"\b{re.escape(table)}\b", sql) is not None
    told = text_of(argument(call, 0, "table_name"))
    return not told or table in (text_of(one) for one in call.arguments)


def _runs_a_block(revision: Revision) -> bool:
    """Code of the server's own, which may do anything."""
    return any(found.change.kind in ("DoStmt", "CallStmt") for found in revision.of(changes.Other))


def _hands_over(revision: Revision) -> bool:
    """A function of the application gets the database; those of the same file are among the calls."""
    return any(
        "." in call.name
        and not call.name.startswith(("sqlalchemy.", "alembic.", "…"))
        and any(re.split(r"\W", one.text, maxsplit=1)[0] in _HANDLES for one in call.arguments)
        for call in revision.facts.calls
    )
