"""What earlier statements of the same history say of a column, as far as that is certain. Pure.

Read backwards from the statement that asks, until it is known, or something may have been done to the table of which
not all is known (``untold``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from headway_operator.lint import changes
from headway_operator.lint.changes import Change, Column, Constraint, Type
from headway_operator.lint.tree import renamed
from headway_operator.lint.untold import may_touch

if TYPE_CHECKING:
    from headway_operator.lint.context import Of, Revision
    from headway_operator.lint.statements import Step

ANY = ""
"""What is about no table may be about each."""
_SERIALS = {"serial": "int4", "bigserial": "int8", "smallserial": "int2"}


@dataclass(frozen=True)
class Before:
    """How a column was; None: not known."""

    type: Type | None = None
    not_null: bool | None = None

    @property
    def is_complete(self) -> bool:
        """There is nothing more to learn."""
        return self.type is not None and self.not_null is not None


@dataclass(frozen=True)
class _Search:
    """Which column is looked for, under the names that it had then."""

    table: str
    column: str
    found: Before = Before()
    is_over: bool = False

    def learn(self, type_: Type | None = None, not_null: bool | None = None) -> _Search:
        """What was said later counts."""
        known = self.found
        kind = known.type if known.type is not None else type_
        return replace(self, found=Before(kind, not_null if known.not_null is None else known.not_null))

    def end(self) -> _Search:
        """Nothing earlier is about this column."""
        return replace(self, is_over=True)


def column_before(revision: Revision, found: Of[Change], column: str) -> Before:
    """How the column of this table was just before the statement."""
    return column_of_table_before(revision, found, found.change.table, column)


def column_of_table_before(revision: Revision, found: Of[Change], table: str, column: str) -> Before:
    """The same of a column of any table."""
    own = revision.steps[: revision.steps.index(found.step)]
    search = _looked_back(_Search(table, column), revision, own)
    for earlier in reversed(revision.earlier):
        if search.is_over or search.found.is_complete:
            break
        search = _looked_back(search, earlier, earlier.steps)
    return search.found


def defined_type(column: Column) -> Type:
    """The type of a column as it is made: ``serial`` is an integer."""
    return _plain(column.type)


def _looked_back(search: _Search, revision: Revision, steps: Sequence[Step]) -> _Search:
    """What these steps of one revision say, the latest first; most of a long history is about something else."""
    if may_touch(revision, search.table):
        return search.end()
    if _subjects(revision).isdisjoint((search.table, search.column, ANY)):
        return search
    for step in reversed(steps):
        if search.is_over or search.found.is_complete:
            break
        search = _looked_at(search, step.change)
    return search


def _subjects(revision: Revision) -> frozenset[str]:
    """The names of the columns and tables that its steps are about."""
    if "subjects" not in revision.memo:
        revision.memo["subjects"] = (frozenset(one for step in revision.steps for one in _of(step.change)),)
    found: frozenset[str] = revision.memo["subjects"][0]
    return found


def _of(change: Change) -> tuple[str, ...]:
    match change:
        case changes.AddColumn(column=column):
            return (column.name,)
        case changes.RenameColumn(column=column, to=to):
            return column, to
        case changes.RenameTable(table=table, to=to):
            return table, renamed(table, to)
        case changes.DropOther() | changes.RenameOther():
            return (ANY,)
    column = getattr(change, "column", "")
    return (column or change.table,)


def _looked_at(search: _Search, change: Change) -> _Search:
    match change:
        case changes.DropOther() | changes.RenameOther():
            return search.end()
        case changes.RenameTable(table=table, to=to) if renamed(table, to) == search.table:
            return replace(search, table=table)
        case _ if change.table != search.table:
            return search
        case changes.RenameColumn(column=column, to=to) if to == search.column:
            return replace(search, column=column)
        case changes.CreateTable():
            return _created(search, change).end()
        case changes.AddColumn(column=column) if column.name == search.column:
            return search.end() if change.if_not_exists else _defined(search, column).end()
        case changes.AlterType(column=column, type=kind) if column == search.column:
            return search.learn(type_=_plain(kind))
        case changes.SetNotNull(column=column) if column == search.column:
            return search.learn(not_null=True)
        case changes.DropNotNull(column=column) if column == search.column:
            return search.learn(not_null=False)
        case changes.AddConstraint(constraint=constraint) if _is_key_of(constraint, search.column):
            return search.learn(not_null=True)
        case changes.DropTable() | changes.AlterOther() | changes.AttachPartition():
            return search.end()
        case changes.DropColumn(column=column) if column == search.column:
            return search.end()
    return search


def _created(search: _Search, table: changes.CreateTable) -> _Search:
    column = next((one for one in table.columns if one.name == search.column), None)
    if column is None or table.if_not_exists or table.from_query or table.partition_of:
        return search
    if any(_is_key_of(one, search.column) for one in table.constraints):
        column = replace(column, not_null=True)
    return _defined(search, column)


def _defined(search: _Search, column: Column) -> _Search:
    is_key = any(one.kind == "primary key" for one in column.constraints)
    is_serial = column.type.name in _SERIALS
    return search.learn(_plain(column.type), column.not_null or is_key or is_serial or column.is_identity)


def _is_key_of(constraint: Constraint, column: str) -> bool:
    return constraint.kind == "primary key" and column in constraint.columns


def _plain(kind: Type) -> Type:
    return replace(kind, name=_SERIALS.get(kind.name, kind.name))
