"""The last Kubernetes events of a resource: what others said of it, newest last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headway_operator.api.migration import KIND, Migration
from headway_operator.cluster.api_server import ApiServer
from headway_operator.cluster.interface import ClusterError, Forbidden
from headway_operator.planner.explain import moment

SHOWN = 5


@dataclass(frozen=True)
class Event:
    """One event, as ``kubectl events`` has it."""

    time: datetime
    reason: str
    note: str
    is_warning: bool = False


@dataclass(frozen=True)
class Happened:
    """The events, or why they are not shown."""

    events: tuple[Event, ...] = ()
    unseen: str = ""


async def happened(api: ApiServer, migration: Migration) -> Happened:
    """Never an error: the resource is shown without them, and it is said that they are missing."""
    path = f"apis/events.k8s.io/v1/namespaces/{migration.namespace}/events"
    query = {"fieldSelector": f"regarding.kind={KIND},regarding.name={migration.name}"}
    try:
        items = (await api.json("GET", path, query=query))["items"]
    except Forbidden:
        return Happened(unseen="events are not shown: you may not list events.events.k8s.io here")
    except ClusterError as error:
        return Happened(unseen=f"events are not shown: {error}")
    return Happened(newest([one for one in items if one["regarding"].get("uid") == migration.uid]))


def newest(items: Sequence[dict[str, Any]]) -> tuple[Event, ...]:
    """The last few, in the order in which they happened."""
    found = (_read(one) for one in items)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.time)[-SHOWN:])


def _read(item: dict[str, Any]) -> Event | None:
    """Of older senders the time stands elsewhere; without any it cannot be put in order."""
    series = item.get("series") or {}
    times = (
        series.get("lastObservedTime"),
        item.get("eventTime"),
        item.get("deprecatedLastTimestamp"),
        item["metadata"].get("creationTimestamp"),
    )
    time = moment(next(filter(None, times), None))
    if time is None:
        return None
    return Event(time, item.get("reason", ""), item.get("note", ""), item.get("type") == "Warning")
