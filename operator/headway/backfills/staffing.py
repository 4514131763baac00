"""How many sessions are to work on a backfill at once, by how near the database is to its limits. Pure.

The zones are those of a controller that adds slowly and takes away fast: below 0.4 of a limit one more, up to 0.7
as many as there are, from there on one less, and at the limit half of them.
"""

from dataclasses import dataclass

ADD_BELOW = 0.4
DROP_FROM = 0.7
ADD_SECONDS = 15.0
"""Between two changes of which the later one adds: what another session does must have been seen."""
DROP_SECONDS = 2.0
"""Between two that take away: a few looks at the signals."""
MOST_WORKERS = 32


@dataclass(frozen=True)
class Staff:
    """So many are wanted since then, in seconds of the caller's clock."""

    since: float
    wanted: int = 1

    def after(self, utilization: float, is_held: bool, limit: int, now: float) -> "Staff":
        """At a look; ``limit``: the most that there may be."""
        wanted = min(self.wanted, max(1, limit))
        passed = now - self.since
        if utilization >= 1 and passed >= DROP_SECONDS:
            wanted = max(1, wanted // 2)
        elif DROP_FROM <= utilization < 1 and passed >= DROP_SECONDS:
            wanted = max(1, wanted - 1)
        elif utilization < ADD_BELOW and not is_held and passed >= ADD_SECONDS and wanted < limit:
            wanted += 1
        return self if wanted == self.wanted else Staff(now, wanted)
