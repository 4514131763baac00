"""The operator's own work: looks at resources, its queue, and its requests to the API server."""

import time
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace

import aiohttp
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 10, 60)


class Work(Collector):
    """The queue and the logs are asked at each scrape; before there are any, nothing waits or is followed."""

    def __init__(self) -> None:
        self.queue_depth: Callable[[], float] = int
        self.log_streams: Callable[[], float] = int
        self.log_reconnects: Callable[[], Mapping[str, int]] = dict
        self._reconciles = Counter(
            "headway_reconciles", "Looks at a resource, by how they ended.", ["result"], registry=None
        )
        for result in ("success", "conflict", "error", "defect"):
            self._reconciles.labels(result)
        self._seconds = Histogram(
            "headway_reconcile_duration_seconds",
            "How long such a look takes.",
            buckets=SECONDS,
            registry=None,
        )

    def reconciled(self, result: str, seconds: float) -> None:
        """One has ended."""
        self._reconciles.labels(result).inc()
        self._seconds.observe(seconds)

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        yield from self._reconciles.collect()
        yield from self._seconds.collect()
        yield GaugeMetricFamily(
            "headway_queue_depth", "Resources that wait for a worker.", self.queue_depth()
        )
        yield GaugeMetricFamily(
            "headway_log_streams",
            "Logs of pods that are open, at most 100; further pods take turns with them.",
            self.log_streams(),
        )
        reconnects = CounterMetricFamily(
            "headway_log_reconnects",
            "Logs that were opened again, by what became of the stream before.",
            labels=["reason"],
        )
        for reason, count in self.log_reconnects().items():
            reconnects.add_metric([reason], count)
        yield reconnects


class Requests(Collector):
    """Told of each request by aiohttp; watches are told apart, for a silent one is no request that hangs."""

    def __init__(self) -> None:
        self._requests = Counter(
            "headway_api_requests", "Requests to the API server.", ["method", "code"], registry=None
        )
        self._seconds = Histogram(
            "headway_api_request_duration_seconds",
            "How long the API server takes to answer.",
            ["method"],
            buckets=SECONDS,
            registry=None,
        )
        self._watch = Gauge(
            "headway_watch_connect_timestamp_seconds",
            "When a watch of these objects was last accepted.",
            ["resource"],
            registry=None,
        )

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        for one in (self._requests, self._seconds, self._watch):
            yield from one.collect()

    def trace(self) -> aiohttp.TraceConfig:
        """For a session whose requests are to be counted."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._started)
        config.on_request_end.append(self._ended)
        config.on_request_exception.append(self._failed)
        return config

    async def _started(
        self, _: object, context: SimpleNamespace, __: aiohttp.TraceRequestStartParams
    ) -> None:
        context.started = time.monotonic()

    async def _ended(self, _: object, context: SimpleNamespace, end: aiohttp.TraceRequestEndParams) -> None:
        self._requests.labels(end.method, str(end.response.status)).inc()
        if "watch" in end.url.query:
            if end.response.status < 300:
                self._watch.labels(end.url.path.rpartition("/")[2]).set_to_current_time()
        elif "follow" not in end.url.query:
            self._seconds.labels(end.method).observe(time.monotonic() - context.started)

    async def _failed(self, _: object, __: object, end: aiohttp.TraceRequestExceptionParams) -> None:
        self._requests.labels(end.method, "none").inc()
