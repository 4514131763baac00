"""The registry, and the text that a scrape gets."""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.registry import Collector


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
