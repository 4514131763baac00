"""Waits for locks, as runners tell of them."""

from collections.abc import Iterable

from prometheus_client import Counter
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from headway_contract import events
from headway_contract.events import Event

Resource = tuple[str, str]
"""Namespace and name."""

MIGRATION, OTHERS = "Migration", "OtherSessions"


class Waits(Collector):
    """Counted when the runner tells of them; one that it had no time to tell of is not in it."""

    def __init__(self) -> None:
        self._timeouts = Counter(
            "headway_lock_timeouts",
            "Statements that did not get their lock in time and were tried again.",
            registry=None,
        )
        self._pauses = Counter(
            "headway_lock_retry_pause_seconds",
            "Seconds between such a time-out and the next try.",
            registry=None,
        )
        self._contended = Counter(
            "headway_migration_lock_contended",
            "Runs that found the migration lock held by another one.",
            registry=None,
        )
        self._waited = Counter(
            "headway_lock_wait_seconds",
            "Seconds of waiting for the migration lock, or of statements that hold nobody up for other sessions.",
            ["lock"],
            registry=None,
        )
        # A series that begins at 1 has not increased, so each is there from the start.
        for kind in (MIGRATION, OTHERS):
            self._waited.labels(kind)
        self._told: dict[tuple[Resource, str, str], float] = {}

    def heard(self, resource: Resource, event: Event) -> None:
        """A runner of this resource has told this."""
        if isinstance(event, events.LockAwaited):
            self._pass_time(MIGRATION, resource, event)
        elif isinstance(event, events.Blocked):
            self._pass_time(OTHERS, resource, event)
        if isinstance(event, events.PassRetried):
            self._timeouts.inc()
            self._pauses.inc(event.wait_seconds)
        elif isinstance(event, events.LockAwaited) and event.seconds == 0:
            self._contended.inc()

    def gone(self, resource: Resource) -> None:
        """It was deleted."""
        self._told = {place: seconds for place, seconds in self._told.items() if place[0] != resource}

    def _pass_time(self, kind: str, resource: Resource, event: events.LockAwaited | events.Blocked) -> None:
        """What has passed since the last telling; a wait that is shorter than that one is another."""
        place = resource, event.database, kind
        before = self._told.get(place, 0.0)
        self._told[place] = event.seconds
        self._waited.labels(kind).inc(event.seconds - (before if event.seconds >= before else 0.0))

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        for one in (self._timeouts, self._pauses, self._contended, self._waited):
            yield from one.collect()
