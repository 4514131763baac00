"""What a strategy must be able to do; see :mod:`headway.backfills.striped` and
:mod:`headway.backfills.keyset`.
"""

from typing import Protocol

from sqlalchemy.engine import Connection

from headway.backfills.orders import Leaf, Outcome, Work
from headway.backfills.places import Key, Place


class Sweep(Protocol):
    """Statements of one strategy; each is called inside a transaction."""

    def open(self, connection: Connection, leaf: Leaf) -> "tuple[Place, int]":
        """Where the sweep of a leaf begins and ends, and the file that the leaf is in (0 where there is
        none).
        """

    def halves(self, connection: Connection, leaf: Leaf, place: Place) -> "tuple[Place, Place] | None":
        """Two shares of about the same size instead of one; None: it is better left whole."""

    def update(self, connection: Connection, work: Work) -> Outcome:
        """A piece, in as few statements as can be."""

    def update_each(self, connection: Connection, work: Work) -> Outcome:
        """A piece row by row; those that cannot be updated are parked."""


class ByKey(Protocol):
    """A strategy that finds its way back to single rows."""

    def update_again(self, connection: Connection, leaf: Leaf, keys: "tuple[Key, ...]") -> Outcome:
        """Rows by their keys, one by one; those that cannot be updated are parked."""
