"""A sweep along the blocks of a table: PostgreSQL from version 14 on, tables stored as heaps.

Locks: ROW EXCLUSIVE on the table and the rows of a batch until its commit, which neither readers nor writers
of other rows notice. No index is needed.
"""

from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection

from headway.backfills.clauses import Clauses
from headway.backfills.leftovers import each_row
from headway.backfills.orders import Leaf, Outcome, Work
from headway.backfills.places import BlockPiece, Blocks, Place
from headway.backfills.queries import one

_RANGE = "ctid >= CAST(CAST(:first AS text) AS tid) AND ctid < CAST(CAST(:last AS text) AS tid)"


@dataclass(frozen=True)
class Striped:
    """Statements of one backfill."""

    clauses: Clauses

    def open(self, connection: Connection, leaf: Leaf) -> "tuple[Place, int]":
        """The blocks that there are now. A trigger, if any, exists by now, so later ones hold rows that
        are right.
        """
        row = one(
            connection,
            f"SELECT pg_relation_size({leaf.oid}) / CAST(current_setting('block_size') AS bigint), "
            f"CAST(pg_relation_filenode({leaf.oid}) AS bigint)",
        )
        blocks, filenode = row or (0, 0)
        return Blocks(int(blocks or 0), whole=int(blocks or 0)), int(filenode or 0)

    def halves(self, connection: Connection, leaf: Leaf, place: Place) -> "tuple[Place, Place] | None":
        """By the number of blocks."""
        assert isinstance(place, Blocks)
        return place.halves()

    def update(self, connection: Connection, work: Work) -> Outcome:
        """One statement."""
        place, values = self._place(work)
        update = (
            f"UPDATE {self.clauses.source(work.leaf)} SET {self.clauses.assignments} "
            f"WHERE {place} AND {self.clauses.chosen}"
        )
        updated, stuck = self.clauses.updated(connection, update, values, work.shows_stuck)
        return Outcome(updated, self._covered(work), stuck=stuck)

    def update_each(self, connection: Connection, work: Work) -> Outcome:
        """A savepoint for each row."""
        place, values = self._place(work)
        return replace(
            each_row(connection, self.clauses, work.leaf, place, values), covered=self._covered(work)
        )

    def _covered(self, work: Work) -> int:
        piece = work.piece
        assert isinstance(piece, BlockPiece)
        return max(1, round((piece.last - piece.first) * work.leaf.density / piece.stripes))

    def _place(self, work: Work) -> "tuple[str, dict[str, str]]":
        piece = work.piece
        assert isinstance(piece, BlockPiece)
        stripe = f" AND (hashtid(ctid) & {piece.stripes - 1}) = {piece.stripe}" if piece.stripes > 1 else ""
        values = {"first": f"({piece.first},0)", "last": f"({piece.last},0)"}
        return f"{_RANGE}{stripe}", values
