"""Which lock a change takes on which table, as PostgreSQL's manual says ("Explicit Locking", "ALTER TABLE").

What a statement locks for a moment in the catalogs is not told, nor what it locks elsewhere when that is not written
in it: the other table of a foreign key that is dropped by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headway_operator.lint import changes
from headway_operator.lint.changes import Change, Constraint
from headway_operator.lint.parser import Tree
from headway_operator.lint.tree import table_of


class Mode(StrEnum):
    """The modes of table locks, from the weakest up, by PostgreSQL's names."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def rank(self) -> int:
        """Its place among them."""
        return tuple(Mode).index(self)

    @property
    def stops(self) -> str:
        """What of an application waits while the lock is held; empty: nothing."""
        if self is Mode.ACCESS_EXCLUSIVE:
            return "reads and writes"
        return "writes" if self.rank >= Mode.SHARE.rank else ""


@dataclass(frozen=True)
class Lock:
    """A lock on one table; ``table`` is empty where only the name of its index is known, then that is ``index``."""

    mode: Mode
    table: str = ""
    index: str = ""


def locks_of(change: Change) -> tuple[Lock, ...]:
    """What the change locks until its transaction ends; nothing for what concerns no table that was there before."""
    taker = _TAKERS.get(type(change))
    if taker is not None:
        return tuple(taker(change))
    mode = MODES.get(type(change))
    return () if mode is None else (Lock(mode, change.table),)


def mode_of(change: Change) -> Mode | None:
    """How the change locks its own table; None: not at all."""
    return next((lock.mode for lock in locks_of(change) if lock.table == change.table), None)


MODES: dict[type[Change], Mode] = {
    changes.DropTable: Mode.ACCESS_EXCLUSIVE,
    changes.RenameTable: Mode.ACCESS_EXCLUSIVE,
    changes.DropColumn: Mode.ACCESS_EXCLUSIVE,
    changes.RenameColumn: Mode.ACCESS_EXCLUSIVE,
    changes.AlterType: Mode.ACCESS_EXCLUSIVE,
    changes.SetDefault: Mode.ACCESS_EXCLUSIVE,
    changes.SetNotNull: Mode.ACCESS_EXCLUSIVE,
    changes.DropNotNull: Mode.ACCESS_EXCLUSIVE,
    changes.AddIdentity: Mode.ACCESS_EXCLUSIVE,
    changes.DropConstraint: Mode.ACCESS_EXCLUSIVE,
    changes.ValidateConstraint: Mode.SHARE_UPDATE_EXCLUSIVE,
    changes.Update: Mode.ROW_EXCLUSIVE,
    changes.Delete: Mode.ROW_EXCLUSIVE,
    changes.Insert: Mode.ROW_EXCLUSIVE,
    changes.Truncate: Mode.ACCESS_EXCLUSIVE,
    changes.Cluster: Mode.ACCESS_EXCLUSIVE,
}
"""Those that always take the same lock, on their table alone."""

FORMS: dict[str, Mode] = {
    "AT_SetStatistics": Mode.SHARE_UPDATE_EXCLUSIVE,
    "AT_SetOptions": Mode.SHARE_UPDATE_EXCLUSIVE,
    "AT_ResetOptions": Mode.SHARE_UPDATE_EXCLUSIVE,
    "AT_SetRelOptions": Mode.SHARE_UPDATE_EXCLUSIVE,
    "AT_ResetRelOptions": Mode.SHARE_UPDATE_EXCLUSIVE,
    "AT_ClusterOn": Mode.SHARE_UPDATE_EXCLUSIVE,
    "AT_DropCluster": Mode.SHARE_UPDATE_EXCLUSIVE,
    "AT_AttachPartition": Mode.SHARE_UPDATE_EXCLUSIVE,
    "AT_EnableTrig": Mode.SHARE_ROW_EXCLUSIVE,
    "AT_EnableAlwaysTrig": Mode.SHARE_ROW_EXCLUSIVE,
    "AT_EnableReplicaTrig": Mode.SHARE_ROW_EXCLUSIVE,
    "AT_EnableTrigAll": Mode.SHARE_ROW_EXCLUSIVE,
    "AT_EnableTrigUser": Mode.SHARE_ROW_EXCLUSIVE,
    "AT_DisableTrig": Mode.SHARE_ROW_EXCLUSIVE,
    "AT_DisableTrigAll": Mode.SHARE_ROW_EXCLUSIVE,
    "AT_DisableTrigUser": Mode.SHARE_ROW_EXCLUSIVE,
}
"""Of ALTER TABLE; every other form takes ACCESS EXCLUSIVE."""

OTHERS: dict[str, Mode] = {
    "CreateTrigStmt": Mode.SHARE_ROW_EXCLUSIVE,
    "CreateStatsStmt": Mode.SHARE_UPDATE_EXCLUSIVE,
    "RuleStmt": Mode.ACCESS_EXCLUSIVE,
    "CreatePolicyStmt": Mode.ACCESS_EXCLUSIVE,
    "RefreshMatViewStmt": Mode.ACCESS_EXCLUSIVE,
}
"""Statements that name one relation and are read no further."""


def _create_table(change: changes.CreateTable) -> Iterator[Lock]:
    """The new table is nobody's yet; those that it refers to are locked."""
    if change.partition_of:
        yield Lock(Mode.ACCESS_EXCLUSIVE, change.partition_of)
    inline = (one for column in change.columns for one in column.constraints)
    yield from _referred((*change.constraints, *inline))


def _add_column(change: changes.AddColumn) -> Iterator[Lock]:
    yield Lock(Mode.ACCESS_EXCLUSIVE, change.table)
    yield from _referred(change.column.constraints)


def _add_constraint(change: changes.AddConstraint) -> Iterator[Lock]:
    is_foreign = change.constraint.kind == "foreign key"
    yield Lock(Mode.SHARE_ROW_EXCLUSIVE if is_foreign else Mode.ACCESS_EXCLUSIVE, change.table)
    yield from _referred((change.constraint,))


def _referred(constraints: tuple[Constraint, ...]) -> Iterator[Lock]:
    """Adding a foreign key puts triggers on the other table."""
    for one in constraints:
        if one.references:
            yield Lock(Mode.SHARE_ROW_EXCLUSIVE, one.references)


def _attach(change: changes.AttachPartition) -> Iterator[Lock]:
    yield Lock(Mode.SHARE_UPDATE_EXCLUSIVE, change.table)
    yield Lock(Mode.ACCESS_EXCLUSIVE, change.partition)


def _detach(change: changes.DetachPartition) -> Iterator[Lock]:
    concurrent = change.concurrently
    yield Lock(Mode.SHARE_UPDATE_EXCLUSIVE if concurrent else Mode.ACCESS_EXCLUSIVE, change.table)
    yield Lock(Mode.ACCESS_EXCLUSIVE, change.partition)


def _alter_other(change: changes.AlterOther) -> Iterator[Lock]:
    yield Lock(FORMS.get(change.form, Mode.ACCESS_EXCLUSIVE), change.table)


def _create_index(change: changes.CreateIndex) -> Iterator[Lock]:
    yield Lock(Mode.SHARE_UPDATE_EXCLUSIVE if change.concurrently else Mode.SHARE, change.table)


def _drop_index(change: changes.DropIndex) -> Iterator[Lock]:
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if change.concurrently else Mode.ACCESS_EXCLUSIVE
    yield Lock(mode, index=change.name)


def _reindex(change: changes.Reindex) -> Iterator[Lock]:
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if change.concurrently else Mode.SHARE
    if change.of in ("table", "index"):
        yield Lock(mode, change.table, "" if change.table else change.name)


def _vacuum(change: changes.Vacuum) -> Iterator[Lock]:
    if change.table:
        yield Lock(Mode.ACCESS_EXCLUSIVE if change.full else Mode.SHARE_UPDATE_EXCLUSIVE, change.table)


def _other(change: changes.Other) -> Iterator[Lock]:
    if change.kind == "LockStmt":
        mode = tuple(Mode)[int(change.tree.get("mode", 0)) - 1]
        yield from (Lock(mode, table_of(one.get("RangeVar"))) for one in change.tree.get("relations", ()))
    elif change.kind in OTHERS:
        weaker = change.kind == "RefreshMatViewStmt" and change.tree.get("concurrent")
        mode = Mode.EXCLUSIVE if weaker else OTHERS[change.kind]
        yield from (Lock(mode, table) for table in _relations(change.tree))


def _relations(tree: Tree) -> Iterator[str]:
    for field in ("relation", "table"):
        if table := table_of(tree.get(field)):
            yield table
    for one in tree.get("relations", ()):
        if table := table_of(one.get("RangeVar")):
            yield table


_TAKERS: dict[type[Change], Callable[[Any], Iterator[Lock]]] = {
    changes.CreateTable: _create_table,
    changes.AddColumn: _add_column,
    changes.AddConstraint: _add_constraint,
    changes.AttachPartition: _attach,
    changes.DetachPartition: _detach,
    changes.AlterOther: _alter_other,
    changes.CreateIndex: _create_index,
    changes.DropIndex: _drop_index,
    changes.Reindex: _reindex,
    changes.Vacuum: _vacuum,
    changes.Other: _other,
}
