"""Waits for locks, as runners tell of them."""

from collections.abc import Iterable

from prometheus_client import Counter
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from headway_contract import events
from headway_contract.events import Event


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

    def heard(self, event: Event) -> None:
        """A runner has told this."""
        if isinstance(event, events.PassRetried):
            self._timeouts.inc()
            self._pauses.inc(event.wait_seconds)
        elif isinstance(event, events.LockAwaited) and event.seconds == 0:
            self._contended.inc()

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        for one in (self._timeouts, self._pauses, self._contended):
            yield from one.collect()
