"""The parts of statements that all strategies share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from headway.backfills.known import Asked, Known
from headway.backfills.orders import Leaf
from headway.backfills.queries import one, run


@dataclass(frozen=True)
class Clauses:
    """SQL with the user's texts in it."""

    asked: Asked
    known: Known
    guard: str
    """``where``, ``distinct``, ``both`` or empty."""
    quote: Callable[[str], str]

    def source(self, leaf: "Leaf | None") -> str:
        """How a statement names a leaf (None: the whole table): so that the user's SQL can name it as the
        table.
        """
        if leaf is None:
            return ".".join(self.quote(one) for one in (self.known.schema, self.known.table) if one)
        name = ".".join(self.quote(one) for one in (leaf.schema, leaf.name) if one)
        only = "ONLY " if self.known.dialect == "postgresql" else ""
        return (
            f"{only}{name}"
            if leaf.name == self.known.table
            else f"{only}{name} AS {self.quote(self.known.table)}"
        )

    @property
    def root(self) -> str:
        """The table with all its leaves."""
        return ".".join(self.quote(one) for one in (self.known.schema, self.known.table) if one)

    @property
    def assignments(self) -> str:
        """After SET."""
        return ", ".join(f"{self.quote(column)} = {sql}" for column, sql in self.asked.assignments)

    @property
    def chosen(self) -> str:
        """Which rows are updated."""
        parts = [f"({self.asked.where})"] if self.asked.where else []
        if self.guard in ("distinct", "both"):
            parts.append(self.distinct)
        return " AND ".join(parts) or "TRUE"

    @property
    def left(self) -> str:
        """Which rows count as not done: by the caller's own condition, where there is one."""
        return f"({self.asked.where})" if self.asked.where else self.chosen

    @property
    def distinct(self) -> str:
        """A row is not what the expressions make of it; as the column's type keeps it, so that rounding is
        no difference.
        """
        types = {one.name: one.type for one in self.known.targets}
        parts = [
            f"{self.quote(name)} IS DISTINCT FROM CAST(({sql}) AS {types[name]})"
            for name, sql in self.asked.assignments
        ]
        return f"({' OR '.join(parts)})"

    def updated(
        self, connection: Connection, update: str, values: "dict[str, Any]", shows_stuck: bool
    ) -> "tuple[int, int]":
        """Rows that a statement has updated, and of them those that are still chosen (0 where nobody
        asks).
        """
        if not shows_stuck:
            return int(run(connection, update, **values).rowcount), 0
        row = one(
            connection,
            f"WITH moved AS ({update} RETURNING ({self.chosen}) IS TRUE AS still) "
            "SELECT count(*), count(*) FILTER (WHERE still) FROM moved",
            **values,
        )
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def count(self, connection: Connection) -> "tuple[int, int]":
        """In one snapshot: how many rows would be updated, and how many the caller's condition chooses."""
        row = one(
            connection,
            f"SELECT coalesce(sum(CASE WHEN {self.chosen} THEN 1 ELSE 0 END), 0), count(*) "
            f"FROM {self.root} WHERE {self.left}",
        )
        return (0, 0) if row is None else (int(row[0]), int(row[1]))
