"""Which release runs, and whether it leads."""

from collections.abc import Callable, Iterable
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

Number = Callable[[], float]


class Leadership(Collector):
    """Asked at each scrape."""

    def __init__(self, leads: Number, transitions: Number) -> None:
        self._leads = leads
        self._transitions = transitions

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily | InfoMetricFamily]:
        """The three."""
        yield InfoMetricFamily("headway_operator", "The release that runs.", {"version": version("headway")})
        yield GaugeMetricFamily("headway_leader", "1 while this process leads, else 0.", self._leads())
        yield CounterMetricFamily(
            "headway_lease_transitions", "How often the lead has changed hands.", self._transitions()
        )
