"""What one call of :func:`headway.backfill` brings along to all its parts."""

from dataclasses import dataclass, field

from headway.backfills.known import Asked
from headway.backfills.worker import Means
from headway.link import Link
from headway.pace import Pace
from headway.place import Beside, Place
from headway.throttle.own import OwnWork
from headway.throttle.signals.query import Query


@dataclass(frozen=True)
class Call:
    """Its arguments and where it works."""

    place: Place
    beside: Beside
    asked: Asked
    operation: str
    """Its name in the checkpoint table."""
    pace: Pace | None
    """The revision's own; None: what is wished."""
    signals: tuple[Query, ...]
    workers: int | None = None
    """How many sessions may work on it, as the revision says; None: what is wished."""
    means: Means = field(default=Means())
    own: OwnWork = field(default_factory=OwnWork)

    @property
    def link(self) -> Link:
        """To whoever drives Alembic."""
        return self.place.link
