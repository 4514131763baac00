"""Whether anybody else writes to the server. Pure.

Whoever writes, or locks a row, takes a transaction id, in whatever database of the server; so where those of two of
our batches follow each other, nobody did in between. A transaction that has its id already shows no more, and ids
that we take without telling count as those of somebody else.
"""

from dataclasses import dataclass, replace
from math import inf

FIRST_SECONDS = 0.1
"""How long nobody must have written since the first batch."""
QUIET_SECONDS = 10.0
"""And since somebody was seen."""


@dataclass(frozen=True)
class Company:
    """What is known after a transaction of ours."""

    transaction: int = 0
    """Its id; 0: none is known, and it cannot be told who writes."""
    alone_from: float = inf
    """The moment from which on nobody counts as writing, if nobody is seen until then."""

    def after(self, transaction: int, now: float) -> "Company":
        """A transaction of ours had this id."""
        if not transaction:
            return Company()
        if not self.transaction:
            return Company(transaction, now + FIRST_SECONDS)
        is_next = transaction == self.transaction + 1
        return replace(
            self, transaction=transaction, alone_from=self.alone_from if is_next else now + QUIET_SECONDS
        )

    def is_alone(self, now: float) -> bool:
        """Whether nobody else counts as writing."""
        return now >= self.alone_from
