"""Where a sweep of one table is, and which piece of it comes next. Pure.

A striped sweep goes through windows of blocks, and through each window in stripes: rows by the hash of where
they lie. Between two stripes of a page is a commit, so the page can be cleaned of what the first one left
dead, and the second one's new versions find room beside the old ones: they stay in the page, and the indexes
are left alone. A keyset sweep goes through the rows in the order of a unique key.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

Key = tuple[str, ...]
"""The values of a key as texts."""
FEWEST_WINDOW_BLOCKS = 1024
"""A stripe of it may be several batches, so their size follows the time from the first one on."""
SLOW_WINDOW_BLOCKS = 1
"""Where a batch has about the rows of a block in its stripe: what is learned of their time soon counts."""
MOST_WINDOW_BLOCKS = 4096
"""32 MiB: the first stripe of a window may write every page of it to the WAL as a whole."""
FEWEST_BLOCKS = 64
"""In each half of a share: with fewer, a stripe would be over before its pages can be cleaned."""

LEAST_REMAINING = 0.01
"""Of its rows, while a share of keys is not over: an estimate may end before the work does."""


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
    """The first block that is none of ours: what the table had when the sweep began, or where another
    lane's share begins.
    """
    stripes: int = 1
    """Of the window."""
    start: int = 0
    stop: int = 0
    """The window; where both are the same, the next one is to be opened."""
    stripe: int = 0
    block: int = 0
    """The first one that this stripe has not seen."""
    whole: int = 0
    """Blocks of all lanes' shares together when the sweep began."""

    @property
    def is_over(self) -> bool:
        """Nothing is left."""
        return self.start >= self.end

    @property
    def remaining(self) -> float:
        """Of the share, in blocks; halves have together as much as what they were made of."""
        if self.is_over:
            return 0.0
        unseen = (self.stop - self.block) + (self.stripes - self.stripe - 1) * (self.stop - self.start)
        return self.end - self.stop + max(0, unseen) / self.stripes

    @property
    def total(self) -> int:
        """Of all shares."""
        return self.whole or self.end

    def cut(self) -> "Blocks":
        """Without the rest of a window that has one stripe, or of which nothing is done: another one begins there."""
        is_untouched = self.stripe == 0 and self.block == self.start
        return replace(self, start=self.block, stop=self.block) if self.stripes == 1 or is_untouched else self

    def opened(self, rows: int, density: float, stripes: int) -> "Blocks":
        """With a window, at least so large that a batch of so many rows is one stripe of it."""
        if self.start < self.stop or self.is_over:
            return self
        fewest = FEWEST_WINDOW_BLOCKS if rows * stripes >= 2 * density else SLOW_WINDOW_BLOCKS
        wide = min(max(fewest, math.ceil(rows * stripes / density)), MOST_WINDOW_BLOCKS)
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

    def halves(self) -> "tuple[Blocks, Blocks] | None":
        """Two shares in which each stripe of each block is left once; None: there are too few blocks.

        A cut through the window leaves each half with the stripes that its blocks have not seen.
        """
        cut = (self.start + self.end) // 2
        if cut - self.start < FEWEST_BLOCKS:
            return None
        if cut >= self.stop:
            return replace(self, end=cut), replace(self, start=cut, stop=cut, stripe=0, block=cut)
        given = replace(self, start=cut, block=max(self.block, cut))
        if self.block < cut:
            return replace(self, end=cut, stop=cut), given
        # This stripe has seen all blocks before the cut.
        kept = replace(self, end=cut, stop=cut, stripe=self.stripe + 1, block=self.start)
        return (kept if kept.stripe < self.stripes else replace(kept, start=cut, stripe=0, block=cut)), given


@dataclass(frozen=True)
class Keys:
    """In a keyset sweep."""

    until: Key | None
    """The last key when the sweep began, or of this lane's share; None: there was no row."""
    expected: int = 0
    """Rows of the share, an estimate; 0: nobody knows."""
    after: Key | None = None
    visited: int = 0
    whole: int = 0
    """Rows of all lanes' shares together, as they were expected when the sweep began."""

    @property
    def is_over(self) -> bool:
        """Nothing is left."""
        return self.until is None or self.after == self.until

    @property
    def remaining(self) -> float:
        """Of the share, in rows, as far as the estimate is right; something until it is over."""
        if self.is_over:
            return 0.0
        return max(self.expected - self.visited, LEAST_REMAINING * self.expected)

    @property
    def total(self) -> int:
        """Of all shares; 0: nobody knows."""
        return self.whole or self.expected

    def halves(self, middle: Key) -> "tuple[Keys, Keys]":
        """Two shares, up to and with a key, and from behind it on; every key lies in one of them."""
        given = math.ceil(self.remaining / 2)
        kept = replace(self, until=middle, expected=self.expected - given, whole=self.total)
        return kept, replace(self, after=middle, expected=given, visited=0, whole=self.total)

    def piece(self, rows: int) -> KeyPiece:
        """At most so many rows."""
        assert self.until is not None
        return KeyPiece(self.after, self.until, rows)

    def moved(self, last: Key, rows: int) -> "Keys":
        """After a piece whose last key was this one."""
        return replace(self, after=last, visited=self.visited + rows)


Place = Blocks | Keys


def fraction_of(places: "Iterable[Place]") -> float:
    """Of 0 to 1: how much of a table is done, by all lanes' shares of it; never less after a piece than before."""
    known = tuple(places)
    if all(one.is_over for one in known):
        return 1.0
    total = max(one.total for one in known)
    return max(0.0, 1.0 - sum(one.remaining for one in known) / total) if total else 0.0


Piece = BlockPiece | KeyPiece
