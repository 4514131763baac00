"""Since when this operator sees that a Job has no pod, or what keeps its pod from starting, by its own clock.

A creation is told by the API server's clock, which may be wrong by minutes, or the operator's may be. After a restart
the patience begins again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from headway_operator.cluster.interface import Key
from headway_operator.planner.retries import obstacle_of
from headway_operator.planner.snapshot import JobView

A_WHILE = timedelta(minutes=1)
"""How long a Job may be without a pod before anybody is told: a busy Job controller needs a while."""


class Sightings:
    """Of the Jobs and pods of all resources that are at work."""

    def __init__(self) -> None:
        self._first: dict[Key, dict[str, datetime]] = {}

    def dated(self, key: Key, jobs: Iterable[JobView], now: datetime) -> tuple[JobView, ...]:
        """The same Jobs; of one that lacks its pod, or whose pod is kept from starting, since when that is seen."""
        before, known = self._first.get(key, {}), {}
        dated = []
        for job in jobs:
            since = self._since(job, before, now)
            if since is not None:
                known[_what(job)] = since
            dated.append(_dated(job, since, now))
        self._first[key] = known
        return tuple(dated)

    @staticmethod
    def _since(job: JobView, before: Mapping[str, datetime], now: datetime) -> datetime | None:
        """It may be away for a moment, while the kubelet tries again; a clock that was set back counts anew."""
        if job.has_started or not job.is_active:
            return None
        if job.pod is None and job.is_suspended:
            return None
        first = before.get(_what(job))
        if first is None:
            return now if job.pod is None or obstacle_of(job) is not None else None
        return min(first, now)

    def forget(self, key: Key) -> None:
        """The resource is gone or at rest."""
        self._first.pop(key, None)


def _what(job: JobView) -> str:
    """The pod, or the Job that has none."""
    return job.name if job.pod is None else job.pod.name


def _dated(job: JobView, since: datetime | None, now: datetime) -> JobView:
    if since is None:
        return job
    if job.pod is not None:
        return replace(job, pod=replace(job.pod, waits_since=since))
    return replace(job, lacks_pod_since=since) if now - since >= A_WHILE else job
