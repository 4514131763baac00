"""A revision's statements, read once each: what they do, or why they cannot be read."""

from collections.abc import Iterable
from dataclasses import dataclass

from headway_contract.facts import Call, RevisionFacts, Statement
from headway_operator.lint.changes import Change
from headway_operator.lint.parser import Unreadable, trees
from headway_operator.lint.reading import read
from headway_operator.lint.reading_calls import written_sql

OPERATIONS = frozenset(
    {
        "backfill",
        "create_index_concurrently",
        "drop_index_concurrently",
        "add_column_with_backfill",
        "stop_filling_column",
        "drop_column_with_backfill",
        "set_not_null_online",
        "drop_not_null_online",
        "add_foreign_key_online",
        "add_check_online",
        "drop_constraint_online",
        "rename_column_expand",
        "rename_column_contract",
        "rename_column_undo",
        "change_type_expand",
        "change_type_contract",
        "change_type_undo",
    }
)
"""What the library offers: the SQL in its place is what ``--sql`` shows, not what runs."""


@dataclass(frozen=True)
class Step:
    """One thing that a statement does."""

    change: Change
    statement: Statement
    end_line: int = 0
    """Of the call that leads to it; 0: not known."""
    in_loop: bool = False
    """Its call stands in a loop."""


@dataclass(frozen=True)
class Unread:
    """A statement that is no SQL of PostgreSQL, or not all of it is known."""

    statement: Statement
    problem: str
    end_line: int = 0


def steps_and_unread(facts: RevisionFacts) -> tuple[tuple[Step, ...], tuple[Unread, ...]]:
    """All that the revision's own statements do, in order, and those that could not be read."""
    steps: list[Step] = []
    unread: list[Unread] = []
    calls = list(facts.calls)
    for statement in all_statements(facts, calls):
        call = call_at(calls, statement.line)
        if call is not None and operation_of(call):
            continue
        end, looped = (0, False) if call is None else (call.end_line, is_in_loop(call))
        try:
            found = [change for tree in trees(statement.sql) for change in read(tree)]
        except Unreadable as error:
            unread.append(Unread(statement, "it was cut" if statement.is_cut else str(error), end))
        else:
            steps += [Step(change, statement, end, looped) for change in found]
    return tuple(steps), tuple(unread)


def all_statements(facts: RevisionFacts, calls: list[Call]) -> tuple[Statement, ...]:
    """Those that were rendered, and the SQL written out in calls that were not, by their lines."""
    if not facts.not_renderable:
        return facts.statements
    rendered = {statement.line for statement in facts.statements}
    written = (
        Statement(sql, call.line, any("autocommit_block" in block for block in call.blocks))
        for call in calls
        if (sql := written_sql(call)) and rendered.isdisjoint(range(call.line, call.end_line + 1))
    )
    return tuple(sorted((*facts.statements, *written), key=lambda one: one.line))


def call_at(calls: Iterable[Call], line: int) -> Call | None:
    """The call that leads to a statement at this line: the outermost of those that span it."""
    spanning = [call for call in calls if line and call.line <= line <= max(call.end_line, call.line)]
    return min(spanning, key=lambda call: (call.line, -call.end_line), default=None)


def operation_of(call: Call) -> str:
    """The name of the library's operation that is called, empty for any other call."""
    for prefix in ("headway.", "alembic.op."):
        if call.name.startswith(prefix) and call.name.removeprefix(prefix) in OPERATIONS:
            return call.name.removeprefix(prefix)
    return ""


def is_in_loop(call: Call) -> bool:
    """Whether it stands in a loop of the file."""
    return any(block in ("for", "while") for block in call.blocks)
