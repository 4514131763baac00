"""A table for the pure core of backfills: it counts how often each of its rows was visited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from headway.backfills.orders import Outcome, Work
from headway.backfills.places import BlockPiece, Blocks, Key, KeyPiece, Keys, Place

Row = tuple[int, int, str]
"""Block, stripe of sixteen, and key."""


@dataclass
class Table:
    """Rows, and how often each was visited."""

    rows: list[Row]
    blocks: int
    visits: dict[Row, int] = field(init=False)

    def __post_init__(self) -> None:
        self.visits = dict.fromkeys(self.rows, 0)

    @property
    def keys(self) -> list[str]:
        """In order."""
        return sorted(row[2] for row in self.rows)

    def visit(self, work: Work) -> Outcome:
        """The outcome of a piece, as a strategy would tell it."""
        last: Key = ()
        if isinstance(work.piece, BlockPiece):
            hit = [row for row in self.rows if _is_in(row, work.piece)]
        else:
            hit, last = self._between(work.piece)
        for row in hit:
            self.visits[row] += 1
        return Outcome(len(hit), max(1, len(hit)), last)

    def _between(self, piece: KeyPiece) -> tuple[list[Row], Key]:
        above = [
            key
            for key in self.keys
            if (piece.after is None or key > piece.after[0]) and key <= piece.until[0]
        ]
        last = above[piece.rows - 1] if len(above) >= piece.rows else piece.until[0]
        return [row for row in self.rows if row[2] in above and row[2] <= last], (last,)

    def opened(self, is_striped: bool) -> Place:
        """Where a sweep of it begins."""
        if is_striped:
            return Blocks(self.blocks, whole=self.blocks)
        return Keys((self.keys[-1],) if self.rows else None, len(self.rows), whole=len(self.rows))


def _is_in(row: Row, piece: BlockPiece) -> bool:
    return piece.first <= row[0] < piece.last and row[1] % piece.stripes == piece.stripe


@st.composite
def tables(draw: Callable[..., int]) -> Table:
    """With few blocks and rows, or none."""
    blocks = draw(st.integers(0, 40))
    count = draw(st.integers(0, 120)) if blocks else 0
    places = st.tuples(st.integers(0, max(blocks - 1, 0)), st.integers(0, 15))
    rows: list[tuple[int, int]] = draw(st.lists(places, min_size=count, max_size=count))  # type: ignore[assignment]
    return Table([(block, stripe, f"{number:04}") for number, (block, stripe) in enumerate(rows)], blocks)
