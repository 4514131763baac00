"""Since when this operator sees what keeps a pod from starting, by its own clock.

A pod's creation is told by the API server's clock, which may be wrong by minutes, or the operator's may be. After a
restart the patience with such a pod begins again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from headway_operator.cluster.interface import Key
from headway_operator.planner.retries import obstacle_of
from headway_operator.planner.snapshot import JobView


class Sightings:
    """Of the pods of all resources that are at work."""

    def __init__(self) -> None:
        self._first: dict[Key, dict[str, datetime]] = {}

    def dated(self, key: Key, jobs: Iterable[JobView], now: datetime) -> tuple[JobView, ...]:
        """The same Jobs; of a pod with something in its way it is told since when that is seen."""
        before, known = self._first.get(key, {}), {}
        dated = []
        for job in jobs:
            since = self._since(job, before, now)
            if since is None or job.pod is None:
                dated.append(job)
                continue
            known[job.pod.name] = since
            dated.append(replace(job, pod=replace(job.pod, waits_since=since)))
        self._first[key] = known
        return tuple(dated)

    @staticmethod
    def _since(job: JobView, before: Mapping[str, datetime], now: datetime) -> datetime | None:
        """It may be away for a moment, while the kubelet tries again; a clock that was set back counts anew."""
        if job.pod is None or job.pod.started or not job.is_active:
            return None
        first = before.get(job.pod.name)
        if first is None:
            return now if obstacle_of(job) is not None else None
        return min(first, now)

    def forget(self, key: Key) -> None:
        """The resource is gone or at rest."""
        self._first.pop(key, None)
