"""Messages to hooks and what came of them, worked out from two looks at a status, one after the other."""

from collections.abc import Iterable
from itertools import product

from prometheus_client import Counter
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from headway_operator.api.hooks import HookType, Result
from headway_operator.api.migration import Migration
from headway_operator.api.status import Status


class Deliveries(Collector):
    """Told of each resource that is seen; what it had already when it was first seen is not counted."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], frozenset[str]] = {}
        self._results = Counter(
            "headway_hook_deliveries",
            "Messages to hooks, by what became of them.",
            ["type", "result"],
            registry=None,
        )
        # A series that begins at 1 has not increased, so each is there from the start.
        for kind, result in product(HookType, (one for one in Result if not one.is_open)):
            self._results.labels(str(kind), str(result))

    def collect(self) -> Iterable[Metric]:
        """The one."""
        yield from self._results.collect()

    def saw(self, migration: Migration) -> None:
        """The resource as it is now."""
        key = (migration.namespace, migration.name)
        before = self._seen.get(key)
        if before is not None:
            self._count(before, migration.status)
        self._seen[key] = frozenset(one.id for one in migration.status.hooks if not one.result.is_open)

    def gone(self, namespace: str, name: str) -> None:
        """It was deleted."""
        self._seen.pop((namespace, name), None)

    def _count(self, done: frozenset[str], status: Status) -> None:
        """``done``: those that were counted, or done when the resource was first seen."""
        for entry in status.hooks:
            if entry.id and entry.id not in done and not entry.result.is_open:
                self._results.labels(str(entry.type), str(entry.result)).inc()
