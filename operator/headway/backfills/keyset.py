"""A sweep along a unique key: on every database.

A batch ends at the key that the database itself finds so many rows further on, so gaps in the numbers do not
matter. Locks: those of an UPDATE on the rows of a batch, until its commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from headway.backfills.clauses import Clauses
from headway.backfills.orders import Leaf, Outcome, Parked, Work
from headway.backfills.places import Key, KeyPiece, Keys, Place
from headway.backfills.queries import every, one
from headway.backfills.row_by_row import attempt

SAMPLED_BLOCKS = 200
"""For the middle of what is left: some thousand rows, and as many reads if none of them is in memory."""
FEWEST_SAMPLED = 16
"""Rows of a share in the sample, for its middle to mean anything."""


class KeyTexts(Protocol):
    """How the values of a key become texts of the checkpoint and values of statements again."""

    @property
    def has_rows(self) -> bool:
        """Whether ``(a, b) > (1, 2)`` is understood, and looked up in the index."""

    def shown(self, column: str) -> str:
        """SQL of a quoted column, as it is to be selected."""

    def key(self, row: Sequence[Any]) -> Key:
        """Of a row that was selected so."""

    def parameter(self, name: str, number: int) -> str:
        """SQL of a parameter that stands for the value of the column of that number."""

    def value(self, text: str) -> Any:
        """The parameter's value."""


@dataclass(frozen=True)
class Keyset:
    """Statements of one backfill."""

    clauses: Clauses
    texts: KeyTexts

    def open(self, connection: Connection, leaf: Leaf) -> "tuple[Place, int]":
        """The last key that there is now; rows that come above it later are their writers' concern."""
        down = ", ".join(f"{name} DESC" for name in self._names)
        row = one(
            connection, f"SELECT {self._shown} FROM {self.clauses.source(leaf)} ORDER BY {down} LIMIT 1"
        )
        return Keys(None if row is None else self.texts.key(row), leaf.rows, whole=leaf.rows), 0

    def halves(self, connection: Connection, leaf: Leaf, place: Place) -> "tuple[Place, Place] | None":
        """At the middle key of a sample of blocks, PostgreSQL: any key does for correctness, so an estimate will do.

        Bounds of a histogram would be as good for a key of one column, and are not there for others.
        """
        assert isinstance(place, Keys)
        if place.until is None:
            return None
        condition, values = self._between(place.after, place.until)
        percent = min(100.0, 100.0 * SAMPLED_BLOCKS * leaf.density / max(leaf.rows, 1))
        names = ", ".join(f"headway_key_{n}" for n in range(len(self._names)))
        row = one(
            connection,
            f"SELECT {names} FROM (SELECT {self._shown}, row_number() OVER (ORDER BY {', '.join(self._names)}) "
            f"AS headway_place, count(*) OVER () AS headway_rows FROM {self.clauses.source(leaf)} "
            f"TABLESAMPLE SYSTEM ({percent:f}) WHERE {condition}) AS sampled "
            f"WHERE headway_place = headway_rows / 2 AND headway_rows >= {FEWEST_SAMPLED}",
            **values,
        )
        return None if row is None else place.halves(self.texts.key(row))

    def update(self, connection: Connection, work: Work) -> Outcome:
        """The end of the piece, then the rows."""
        last, covered = self._end(connection, work)
        piece = _piece(work)
        condition, values = self._between(piece.after, last)
        source = self.clauses.source(work.leaf)
        update = f"UPDATE {source} SET {self.clauses.assignments} WHERE {condition} AND {self.clauses.chosen}"
        updated, stuck = self.clauses.updated(connection, update, values, work.shows_stuck)
        return Outcome(updated, covered, last, stuck)

    def update_each(self, connection: Connection, work: Work) -> Outcome:
        """A savepoint for each row."""
        last, covered = self._end(connection, work)
        piece = _piece(work)
        condition, values = self._between(piece.after, last)
        source = self.clauses.source(work.leaf)
        found = every(
            connection,
            f"SELECT {self._shown} FROM {source} WHERE {condition} ORDER BY {', '.join(self._names)}",
            **values,
        )
        each = self.update_again(connection, work.leaf, tuple(self.texts.key(row) for row in found))
        return replace(each, covered=covered, last=last)

    def update_again(self, connection: Connection, leaf: Leaf, keys: "tuple[Key, ...]") -> Outcome:
        """A savepoint for each row."""
        updated, parked = 0, []
        for key in keys:
            done, code = self._attempt(connection, leaf, key)
            updated += done
            if code is not None:
                parked.append(Parked(leaf.identity, key, code))
        return Outcome(updated, len(keys), parked=tuple(parked))

    def _attempt(self, connection: Connection, leaf: Leaf, key: Key) -> "tuple[int, str | None]":
        same = " AND ".join(
            f"{name} = {self.texts.parameter(f'a{n}', n)}" for n, name in enumerate(self._names)
        )
        condition = f"{same} AND {self.clauses.chosen}"
        update = f"UPDATE {self.clauses.source(leaf)} SET {self.clauses.assignments} WHERE {condition}"
        return attempt(connection, update, self._values("a", key))

    def _end(self, connection: Connection, work: Work) -> "tuple[Key, int]":
        """The last key of the piece, and how many rows it is away."""
        piece = _piece(work)
        condition, values = self._between(piece.after, piece.until)
        row = one(
            connection,
            f"SELECT {self._shown} FROM {self.clauses.source(work.leaf)} WHERE {condition} "
            f"ORDER BY {', '.join(self._names)} LIMIT 1 OFFSET {piece.rows - 1}",
            **values,
        )
        return (piece.until, piece.rows) if row is None else (self.texts.key(row), piece.rows)

    def _between(self, after: "Key | None", last: Key) -> "tuple[str, dict[str, Any]]":
        parts, values = [self._compared("<=", "u")], self._values("u", last)
        if after is not None:
            parts.insert(0, self._compared(">", "a"))
            values |= self._values("a", after)
        return " AND ".join(parts), values

    def _compared(self, operator: str, prefix: str) -> str:
        """The key against parameters, as one comparison of rows or written out."""
        names = self._names
        marks = [self.texts.parameter(f"{prefix}{n}", n) for n in range(len(names))]
        if len(names) == 1:
            return f"{names[0]} {operator} {marks[0]}"
        if self.texts.has_rows:
            return f"({', '.join(names)}) {operator} ({', '.join(marks)})"
        strict = operator.rstrip("=")
        equal = [f"{name} = {mark}" for name, mark in zip(names, marks, strict=True)]
        ways = [
            " AND ".join([*equal[:n], f"{names[n]} {operator if n == len(names) - 1 else strict} {marks[n]}"])
            for n in range(len(names))
        ]
        # The first column alone again: with that an index is entered at the right place.
        return f"({names[0]} {strict}= {marks[0]} AND ({' OR '.join(f'({way})' for way in ways)}))"

    def _values(self, prefix: str, key: Key) -> "dict[str, Any]":
        return {f"{prefix}{n}": self.texts.value(text) for n, text in enumerate(key)}

    @property
    def _names(self) -> "list[str]":
        return [self.clauses.quote(column.name) for column in self.clauses.known.key]

    @property
    def _shown(self) -> str:
        # Under a name of its own: ORDER BY would take a text of the same name for the column.
        return ", ".join(f"{self.texts.shown(name)} AS headway_key_{n}" for n, name in enumerate(self._names))


def _piece(work: Work) -> KeyPiece:
    assert isinstance(work.piece, KeyPiece)
    return work.piece
