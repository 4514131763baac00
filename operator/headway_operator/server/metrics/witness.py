"""All that is counted of the controller's work, behind its one witness."""

import time
from dataclasses import dataclass, field

from prometheus_client.registry import Collector

from headway_contract.events import Event
from headway_operator.api.migration import Migration
from headway_operator.planner.deliveries import Answered, Delivery
from headway_operator.server.metrics.deliveries import Deliveries
from headway_operator.server.metrics.hook_calls import HookCalls
from headway_operator.server.metrics.resources import Resources
from headway_operator.server.metrics.runs import Runs
from headway_operator.server.metrics.waits import Waits
from headway_operator.server.metrics.work import Work


@dataclass
class Counting:
    """A witness of the controller."""

    resources: Resources = field(default_factory=Resources)
    runs: Runs = field(default_factory=lambda: Runs(time.monotonic))
    deliveries: Deliveries = field(default_factory=Deliveries)
    waits: Waits = field(default_factory=Waits)
    work: Work = field(default_factory=Work)
    hook_calls: HookCalls = field(default_factory=HookCalls)

    @property
    def collectors(self) -> tuple[Collector, ...]:
        """To be registered."""
        return self.resources, self.runs, self.deliveries, self.waits, self.hook_calls, self.work

    def saw(self, migration: Migration) -> None:
        """The resource as it is now, or as it was just told to be."""
        self.resources.saw(migration)
        self.runs.saw(migration)
        self.deliveries.saw(migration)

    def gone(self, namespace: str, name: str) -> None:
        """The resource was deleted."""
        self.resources.gone(namespace, name)
        self.runs.gone(namespace, name)
        self.deliveries.gone(namespace, name)
        self.waits.gone((namespace, name))

    def reconciled(self, result: str, seconds: float) -> None:
        """One look at one resource has ended."""
        self.work.reconciled(result, seconds)

    def heard(self, namespace: str, name: str, event: Event) -> None:
        """A runner of this resource has told this."""
        self.waits.heard((namespace, name), event)

    def called(self, delivery: Delivery, answered: Answered) -> None:
        """A hook was called."""
        self.hook_calls.called(delivery, answered)
