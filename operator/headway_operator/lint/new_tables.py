"""Which tables a run has created up to each of its steps, so that nobody can be waiting for them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from headway_operator.lint import changes
from headway_operator.lint.changes import Change
from headway_operator.lint.tree import renamed


@dataclass(frozen=True)
class Made:
    """What a run has made before a place, and what it has made away with; by their names."""

    new: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    """Those of before that it has dropped or renamed: the catalog tells of them, not of what has their name now."""

    def create(self, table: str) -> Made:
        """Empty, and nobody knows it."""
        return Made(self.new | {table}, self.gone)

    def drop(self, table: str) -> Made:
        """Its name is free."""
        return Made(self.new - {table}, self.gone if table in self.new else self.gone | {table})

    def rename(self, table: str, to: str) -> Made:
        """A new table stays new, unless it takes the place of one that was in use."""
        left = self.drop(table)
        stays_new = table in self.new and to not in self.gone
        return Made(left.new | {to} if stays_new else left.new, left.gone - {to})


def made_along(changes_: Iterable[Change], before: Made, is_absent: Callable[[str], bool]) -> Iterator[Made]:
    """Before each of the changes, and after the last one. ``is_absent``: the catalog says that there is none."""
    yield before
    for change in changes_:
        before = _after(change, before, is_absent)
        yield before


def _after(change: Change, before: Made, is_absent: Callable[[str], bool]) -> Made:
    match change:
        case changes.CreateTable(table=table, if_not_exists=if_not_exists):
            is_made = not if_not_exists or table in before.gone or is_absent(table)
            return before.create(table) if is_made else before
        case changes.DropTable(table=table):
            return before.drop(table)
        case changes.RenameTable(table=table, to=to):
            return before.rename(table, renamed(table, to))
        case changes.DropOther(kind="OBJECT_MATVIEW", name=view):
            return before.drop(view)
        case changes.RenameOther(kind="OBJECT_MATVIEW", name=view, to=to):
            return before.rename(view, renamed(view, to))
    return before
