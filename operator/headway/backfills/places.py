"""Where a sweep of one table is, and which piece of it comes next. Pure.

A striped sweep goes through windows of blocks, and through each window in stripes: rows by the hash of where
they lie. Between two stripes of a page is a commit, so the page can be cleaned of what the first one left
dead, and the second one's new versions find room beside the old ones: they stay in the page, and the indexes
are left alone. A keyset sweep goes through the rows in the order of a unique key.
"""

import math
from dataclasses import dataclass, replace

Key = tuple[str, ...]
"""The values of a key as texts."""
FEWEST_WINDOW_BLOCKS = 1024
"""A stripe of it may be several batches, so their size follows the time from the first one on."""
MOST_WINDOW_BLOCKS = 4096
"""32 MiB: the first stripe of a window may write every page of it to the WAL as a whole."""


@dataclass(frozen=True)
class BlockPiece:
    """Blocks from ``first`` up to but without ``last``, of those the rows of one stripe."""

    first: int
    last: int
    stripe: int
    stripes: int


@dataclass(frozen=True)
class KeyPiece:
    """At most so many rows above one key, up to and with another."""

    after: Key | None
    until: Key
    rows: int


@dataclass(frozen=True)
class Blocks:
    """In a striped sweep."""

    end: int
    """The first block that is none of ours: what the table had when the sweep began."""
    stripes: int = 1
    """Of the window."""
    start: int = 0
    stop: int = 0
    """The window; where both are the same, the next one is to be opened."""
    stripe: int = 0
    block: int = 0
    """The first one that this stripe has not seen."""

    @property
    def is_over(self) -> bool:
        """Nothing is left."""
        return self.start >= self.end

    @property
    def fraction(self) -> float:
        """Of 0 to 1; never less after a piece than before."""
        if self.is_over:
            return 1.0
        width = self.stop - self.start
        within = (self.stripe + (self.block - self.start) / width) / self.stripes if width else 0.0
        return (self.start + width * within) / self.end

    def opened(self, rows: int, density: float, stripes: int) -> "Blocks":
        """With a window, at least so large that a batch of so many rows is one stripe of it."""
        if self.start < self.stop or self.is_over:
            return self
        wide = min(max(FEWEST_WINDOW_BLOCKS, math.ceil(rows * stripes / density)), MOST_WINDOW_BLOCKS)
        return replace(
            self, stripes=stripes, stop=min(self.start + wide, self.end), stripe=0, block=self.start
        )

    def piece(self, rows: int, density: float) -> BlockPiece:
        """About so many rows; at least a block of the stripe.

        The rest of a stripe is divided evenly: a small piece at its end would cost as much as a large one.
        """
        left = self.stop - self.block
        pieces = max(1, round(left * density / (rows * self.stripes)))
        return BlockPiece(self.block, self.block + math.ceil(left / pieces), self.stripe, self.stripes)

    def moved(self, piece: BlockPiece) -> "Blocks":
        """After a piece of it."""
        if piece.last < self.stop:
            return replace(self, block=piece.last)
        if self.stripe + 1 < self.stripes:
            return replace(self, stripe=self.stripe + 1, block=self.start)
        return replace(self, start=self.stop, stripe=0, block=self.stop)


@dataclass(frozen=True)
class Keys:
    """In a keyset sweep."""

    until: Key | None
    """The last key when the sweep began; None: there was no row."""
    expected: int = 0
    """Rows, an estimate; 0: nobody knows."""
    after: Key | None = None
    visited: int = 0

    @property
    def is_over(self) -> bool:
        """Nothing is left."""
        return self.until is None or self.after == self.until

    @property
    def fraction(self) -> float:
        """Of 0 to 1 as far as the estimate is right; never less after a piece than before."""
        if self.is_over or not self.expected:
            return float(self.is_over)
        return min(self.visited / self.expected, 0.99)

    def piece(self, rows: int) -> KeyPiece:
        """At most so many rows."""
        assert self.until is not None
        return KeyPiece(self.after, self.until, rows)

    def moved(self, last: Key, rows: int) -> "Keys":
        """After a piece whose last key was this one."""
        return replace(self, after=last, visited=self.visited + rows)


Place = Blocks | Keys
Piece = BlockPiece | KeyPiece
