"""A sweep along the blocks of a table: PostgreSQL from version 14 on, tables stored as heaps.

Locks: ROW EXCLUSIVE on the table and the rows of a batch until its commit, which neither readers nor writers
of other rows notice. No index is needed.
"""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headway.backfills.batches import Leaf, Outcome, Parked, Work
from headway.backfills.clauses import Clauses
from headway.backfills.places import BlockPiece, Blocks, Key, Place
from headway.backfills.queries import every, one
from headway.backfills.row_by_row import attempt

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
        return Blocks(int(blocks or 0)), int(filenode or 0)

    def update(self, connection: Connection, work: Work) -> Outcome:
        """One statement."""
        condition, values = self._condition(work)
        update = f"UPDATE {self.clauses.source(work.leaf)} SET {self.clauses.assignments} WHERE {condition}"
        updated, stuck = self.clauses.updated(connection, update, values, work.shows_stuck)
        return Outcome(updated, self._covered(work), stuck=stuck)

    def update_each(self, connection: Connection, work: Work) -> Outcome:
        """A savepoint for each row."""
        condition, values = self._condition(work)
        source, names = self.clauses.source(work.leaf), [column.name for column in self.clauses.known.key]
        keys = "".join(f", CAST({self.clauses.quote(name)} AS text)" for name in names)
        update = (
            f"UPDATE {source} SET {self.clauses.assignments} "
            f"WHERE ctid = CAST(CAST(:row AS text) AS tid) AND {self.clauses.chosen}"
        )
        updated, parked = 0, []
        for row, *key in every(
            connection, f"SELECT CAST(ctid AS text){keys} FROM {source} WHERE {condition}", **values
        ):
            done, code = attempt(connection, update, {"row": row})
            updated += done
            if code is not None:
                parked.append(Parked(work.leaf.identity, tuple(key) or (f"ctid {row}",), code))
        return Outcome(updated, self._covered(work), parked=tuple(parked))

    def update_again(self, connection: Connection, leaf: Leaf, keys: "tuple[Key, ...]") -> Outcome:
        """Never asked for: a row that was updated lies elsewhere, so blocks are swept again instead."""
        raise NotImplementedError

    def remaining(self, connection: Connection, leaf: "Leaf | None") -> "tuple[int, int]":
        """By what is chosen, and by the caller's condition."""
        return self.clauses.count(connection, leaf)

    def _covered(self, work: Work) -> int:
        piece = work.piece
        assert isinstance(piece, BlockPiece)
        return max(1, round((piece.last - piece.first) * work.leaf.density / piece.stripes))

    def _condition(self, work: Work) -> "tuple[str, dict[str, str]]":
        piece = work.piece
        assert isinstance(piece, BlockPiece)
        stripe = f" AND (hashtid(ctid) & {piece.stripes - 1}) = {piece.stripe}" if piece.stripes > 1 else ""
        values = {"first": f"({piece.first},0)", "last": f"({piece.last},0)"}
        return f"{_RANGE}{stripe} AND {self.clauses.chosen}", values
