"""What Prometheus reads, in a registry of our own."""

from collections.abc import Callable, Iterable
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

Number = Callable[[], float]


class Leadership(Collector):
    """Whether this process leads, and how often the lead has changed hands."""

    def __init__(self, leads: Number, transitions: Number) -> None:
        self._leads = leads
        self._transitions = transitions

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily | InfoMetricFamily]:
        """Asked at each scrape."""
        yield InfoMetricFamily("headway_operator", "The release that runs.", {"version": version("headway")})
        yield GaugeMetricFamily("headway_leader", "1 while this process leads, else 0.", self._leads())
        yield CounterMetricFamily(
            "headway_lease_transitions", "How often the lead has changed hands.", self._transitions()
        )


def registry(collectors: Iterable[Collector]) -> CollectorRegistry:
    """These, and what is known of the process."""
    made = CollectorRegistry()
    for collector in collectors:
        made.register(collector)
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    GCCollector(registry=made)
    return made


def shown(made: CollectorRegistry) -> bytes:
    """In the text format."""
    return generate_latest(made)
