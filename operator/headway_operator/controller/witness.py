"""Who is told what the operator sees and does, in order to count it; nothing is decided by it."""

from typing import Protocol

from headway_contract.events import Event
from headway_operator.api.migration import Migration
from headway_operator.planner.deliveries import Answered, Delivery


class Witness(Protocol):
    """Each call is quick and raises nothing."""

    def saw(self, migration: Migration) -> None:
        """The resource as it is now, or as it was just told to be."""

    def gone(self, namespace: str, name: str) -> None:
        """The resource was deleted."""

    def reconciled(self, result: str, seconds: float) -> None:
        """One look at one resource has ended: ``success``, ``conflict``, ``error`` or ``defect``."""

    def heard(self, namespace: str, name: str, event: Event) -> None:
        """A runner of this resource has told this, for the first time."""

    def called(self, delivery: Delivery, answered: Answered) -> None:
        """A hook was called."""


class Nobody:
    """Counts nothing."""

    def saw(self, migration: Migration) -> None:
        """Nothing."""

    def gone(self, namespace: str, name: str) -> None:
        """Nothing."""

    def reconciled(self, result: str, seconds: float) -> None:
        """Nothing."""

    def heard(self, namespace: str, name: str, event: Event) -> None:
        """Nothing."""

    def called(self, delivery: Delivery, answered: Answered) -> None:
        """Nothing."""


NOBODY = Nobody()
