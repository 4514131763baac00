"""Many new resources at once: their first Jobs go before the first reports about them. Pure; times are in seconds.

A first Job takes one request, the first report (events and status) two or more. When a hundred resources are created
at once and each report is made as soon as it can be, half of all requests before the last first Job are reports. So
the first report of a resource waits until no new resource has come for ``GAP_SECONDS``, but never longer than
``PATIENCE_SECONDS``. A resource that comes alone is told of at once.
"""

GAP_SECONDS = 0.25
"""Two new resources that come closer together than this are a rush; it ends this long after the last of them."""

PATIENCE_SECONDS = 2.0
"""How long a report waits at most, however many come."""


class Rush:
    """Whether new resources come in, one right after the other; times are of a clock that only goes forward."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._until = float("-inf")

    def came(self, now: float) -> None:
        """A new resource was seen."""
        if now - self._last < GAP_SECONDS:
            self._until = now + GAP_SECONDS
        self._last = now

    def pause(self, since: float, now: float) -> float:
        """How long a report that waits ``since`` then has to wait on, as far as is known now; 0: it may be told."""
        return max(min(self._until, since + PATIENCE_SECONDS) - now, 0.0)
