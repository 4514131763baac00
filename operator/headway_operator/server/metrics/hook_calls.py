"""Calls to hooks, as they were answered."""

from collections.abc import Iterable
from itertools import product

from prometheus_client import Counter
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from headway_operator.api.hooks import HookType
from headway_operator.planner.deliveries import Answer, Answered, Delivery


class HookCalls(Collector):
    """By type and answer: a receiver's name would make the series grow with the cluster."""

    def __init__(self) -> None:
        self._calls = Counter(
            "headway_hook_calls",
            "Calls to hooks, by how they were answered.",
            ["type", "answer"],
            registry=None,
        )
        # A series that begins at 1 has not increased, so each is there from the start.
        for kind, answer in product(HookType, Answer):
            self._calls.labels(kind.value, answer.value)

    def called(self, delivery: Delivery, answered: Answered) -> None:
        """One attempt has ended."""
        self._calls.labels(delivery.type.value, answered.answer.value).inc()

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        yield from self._calls.collect()
