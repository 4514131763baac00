"""Which triggers of the library are on a table: those that the catalog knows, and what the run does to them.

Operations leave them until a later step, which takes them away; so does whatever drops what they depend on. Where a
step does not say which one it takes, it is taken for each that it may be: what is told must be there.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from headway_contract.facts import Call
from headway_operator.lint import changes
from headway_operator.lint.changes import Change
from headway_operator.lint.context import Of, Revision, asked_once
from headway_operator.lint.filled import expression_of
from headway_operator.lint.reading_calls import argument, column_in, shadow_of, table_of_call, text_of
from headway_operator.lint.statements import Step, operation_of
from headway_operator.lint.tree import below, qualified, table_of, words

FILL, RENAME, TYPE = "add_column_with_backfill", "rename_column_expand", "change_type_expand"
"""The operations that leave one."""
_ENDS = {
    "stop_filling_column": FILL,
    "drop_column_with_backfill": FILL,
    "rename_column_contract": RENAME,
    "rename_column_undo": RENAME,
    "change_type_contract": TYPE,
    "change_type_undo": TYPE,
}
_PREFIX = {
    FILL: "zz_headway_fill_{0}",
    RENAME: "zz_headway_sync_{2}_{0}_{1}",
    TYPE: "zz_headway_sync_{2}_{0}_{1}",
}
_OPERATIONS = (*_PREFIX, *_ENDS)


@dataclass(frozen=True)
class LeftTrigger:
    """What one operation left, for INSERT and for UPDATE."""

    table: str
    operation: str
    columns: tuple[str, ...]
    """Those that it writes and depends on: the one that is filled, or the old and the new one."""
    reads: tuple[str, ...] = ()
    """Other columns of the row that its function names, which PostgreSQL does not know."""
    is_applied: bool = False
    """The catalog knows it: a revision that is applied has left it."""


def triggers_beside(revision: Revision, place: Of[Change] | Call, table: str) -> tuple[LeftTrigger, ...]:
    """Those of the table just before a statement, or just after a call, which may end one itself."""
    if isinstance(place, Call):
        steps = [step for step in revision.steps if step.statement.line < place.line]
        calls = [call for call in revision.operations(*_OPERATIONS) if call.line <= place.line]
    else:
        steps = list(revision.steps[: revision.steps.index(place.step)])
        calls = [call for call in revision.operations(*_OPERATIONS) if call.line < place.step.statement.line]
    called = _called(revision, table)
    there = _done(revision, _before(revision), _in_order(steps, calls))
    return tuple(one for one in there if one.table == called)


def triggers_after(revision: Revision, table: str) -> tuple[LeftTrigger, ...]:
    """Those of the table at the revision's end."""
    called = _called(revision, table)
    return tuple(one for one in left_after(revision) if one.table == called)


@asked_once
def left_after(revision: Revision) -> Iterator[LeftTrigger]:
    """Those of all tables at the revision's end."""
    what = _in_order(revision.steps, revision.operations(*_OPERATIONS))
    yield from _done(revision, _before(revision), what)


def _before(revision: Revision) -> tuple[LeftTrigger, ...]:
    if not revision.earlier:
        return tuple(_of_catalog(revision))
    if "left_after" not in revision.earlier[-1].memo:
        for one in revision.earlier:
            # In their order: each finds the answer of the one before it.
            left_after(one)
    return left_after(revision.earlier[-1])


def _of_catalog(revision: Revision) -> Iterator[LeftTrigger]:
    for table in revision.tables:
        for one in table.triggers:
            name = qualified(table.schema, table.name)
            reads = tuple(column for value in one.values for column in _read_in(value, table.name))
            yield LeftTrigger(name, one.operation, one.columns, reads, is_applied=True)


def _read_in(value: str, table: str) -> Iterator[str]:
    """The columns of the table that a value names; without those that it says to be another table's."""
    tree = expression_of(value)
    others = {
        one.get("alias", {}).get("aliasname") or one.get("relname")
        for one in below(tree, "RangeVar")
        if one.get("relname") != table
    }
    for reference in below(tree, "ColumnRef"):
        *before, column = words(reference.get("fields", ())) or ("",)
        if not before or before[-1] not in others:
            yield column


def _in_order(steps: Iterable[Step], calls: Iterable[Call]) -> list[Change | Call]:
    both: list[tuple[int, Change | Call]] = [(step.statement.line, step.change) for step in steps]
    both += ((call.line, call) for call in calls)
    return [one for _, one in sorted(both, key=lambda pair: pair[0])]


def _done(
    revision: Revision, there: tuple[LeftTrigger, ...], what: Iterable[Change | Call]
) -> tuple[LeftTrigger, ...]:
    for one in what:
        if isinstance(one, Call):
            there = _after_call(revision, there, one)
        elif there:
            there = _after_change(revision, there, one)
    return there


def _after_change(
    revision: Revision, there: tuple[LeftTrigger, ...], change: Change
) -> tuple[LeftTrigger, ...]:
    match change:
        case changes.DropTable(table=name):
            called = _called(revision, name)
            return tuple(one for one in there if one.table != called)
        case changes.RenameTable(table=name, to=to):
            return _moved(there, _called(revision, name), ".".join([*name.split(".")[:-1], to]))
        case changes.Other(kind="AlterObjectSchemaStmt", tree=tree):
            name = table_of(tree.get("relation"))
            to = qualified(tree.get("newschema", ""), name.rpartition(".")[2])
            return _moved(there, _called(revision, name), to)
        case changes.DropColumn(table=name, column=column, cascade=True):
            called = _called(revision, name)
            return tuple(one for one in there if one.table != called or column not in one.columns)
        case changes.DropOther(kind="OBJECT_TRIGGER", name=name):
            return tuple(one for one in there if not _is_named(one, name))
    return there


def _moved(there: tuple[LeftTrigger, ...], table: str, to: str) -> tuple[LeftTrigger, ...]:
    return tuple(replace(one, table=to) if one.table == table else one for one in there)


def _is_named(trigger: LeftTrigger, name: str) -> bool:
    """A trigger's name, with that of its table."""
    table, _, short = name.rpartition(".")
    pair = (*trigger.columns, "", "")[:2]
    stems = [_PREFIX[trigger.operation].format(*pair, event) for event in ("insert", "update")]
    # That of two columns ends with a digest.
    whole = short if trigger.operation == FILL else re.sub(r"_[0-9a-f]{8}$", "", short)
    return table == trigger.table.rpartition(".")[2] and any(
        # A long one is cut, and ends with a digest, too.
        short.startswith(stem[:40]) if len(stem) > 40 else whole in (stem, f"{stem}_insert", f"{stem}_update")
        for stem in stems
    )


def _after_call(revision: Revision, there: tuple[LeftTrigger, ...], call: Call) -> tuple[LeftTrigger, ...]:
    name, table = operation_of(call), table_of_call(call)
    called = _called(revision, table)
    if name in _ENDS:
        columns = [one for one in _columns_of(call, name) if one]
        return tuple(
            one
            for one in there
            if one.operation != _ENDS[name]
            or (table and one.table != called)
            or not all(column in one.columns for column in columns)
        )
    made = _made(call, name, called)
    if made is None or not table or not all(made.columns):
        return there
    return (*(one for one in there if (one.table, one.columns) != (called, made.columns)), made)


def _columns_of(call: Call, operation: str) -> tuple[str, ...]:
    """Those that it names; empty names where they are not written out."""
    first = text_of(argument(call, 1, {FILL: "column_name", RENAME: "old", TYPE: "column"}[_ENDS[operation]]))
    return (first, text_of(argument(call, 2, "new"))) if _ENDS[operation] == RENAME else (first,)


def _made(call: Call, operation: str, table: str) -> LeftTrigger | None:
    if operation == RENAME:
        pair = text_of(argument(call, 1, "old")), text_of(argument(call, 2, "new"))
        return LeftTrigger(table, RENAME, pair)
    if operation == TYPE:
        return LeftTrigger(table, TYPE, (text_of(argument(call, 1, "column")), shadow_of(call)))
    column, wish = column_in(argument(call, 1, "column")), argument(call, 5, "fill_new_writes")
    # By default the library asks for a trigger where there is no default.
    is_wanted = not column.has_default if wish is None or wish.text == "None" else wish.text != "False"
    reads = tuple(_read_in(text_of(argument(call, 2, "value")), table.rpartition(".")[2]))
    return LeftTrigger(table, FILL, (column.name,), reads) if is_wanted else None


def _called(revision: Revision, table: str) -> str:
    """A table as the catalog calls it, if it is one that it knows."""
    known = revision.size_of(table)
    return table if known is None else qualified(known.schema, known.name)
