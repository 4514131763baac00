"""What the operator wishes of a running runner: one JSON value that always holds the whole desired state.

It is a level, not a queue: a reader may miss values in between, never the last. In a cluster it is a pod
annotation projected into a file, without a cluster the file itself. The runner answers with an event that carries
the sequence number.
"""

import json

from headway_contract.backfill import BackfillSettings
from headway_contract.codec import Undecodable, decode, encode
from headway_contract.records import dataclass

ANNOTATION = "headway.dev/control"


@dataclass(frozen=True)
class Control:
    """The desired state; ``sequence`` grows with each change."""

    sequence: int = 0
    stop: bool = False
    """Stop at the next safe point: between revisions, between batches."""
    reason: str = ""
    """Why to stop, as a sentence for the log."""
    pause: str = ""
    """Why to hold between revisions and between batches, without a full stop; empty: work."""
    backfill: BackfillSettings | None = None
    """How backfills go from now on; None: as the request says."""
    throttle: str = ""
    """What a Throttle hook says against working now, without a full stop; empty: nothing."""
    may_go: str = ""
    """The revision that was let go last, of a run that asks before each."""

    def to_json(self) -> str:
        """The annotation's value."""
        return json.dumps(encode(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Control":
        """Read the file; nothing, or something unreadable (a half-written file), is no wish at all.

        Its sequence number is then that of nothing, so a reader that knows of a later wish keeps to it.
        """
        try:
            return decode(cls, json.loads(text))
        except (ValueError, Undecodable):
            return cls()
