"""Since when this operator sees that a Job has no pod, that its pod does not start, or why, by its own clock.

A creation is told by the API server's clock, which may be wrong by minutes, or the operator's may be. After a restart
the patience begins again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from headway_operator.cluster.interface import Key
from headway_operator.planner.retries import obstacle_of, tries_patience
from headway_operator.planner.snapshot import JobView

A_WHILE = timedelta(minutes=1)
"""How long a Job may be without a pod before anybody is told: a busy Job controller needs a while."""
A_LONG_WHILE = timedelta(minutes=5)
"""The same of a pod that does not start, while nothing says why: a large image needs minutes."""


class Sightings:
    """Of the Jobs and pods of all resources that are at work."""

    def __init__(self) -> None:
        self._first: dict[Key, dict[str, datetime]] = {}

    def dated(self, key: Key, jobs: Iterable[JobView], now: datetime) -> tuple[JobView, ...]:
        """The same Jobs; of one that lacks its pod, or whose pod does not start, since when that is seen."""
        before, known = self._first.get(key, {}), {}
        dated = []
        for job in jobs:
            since = self._since(job, before, now)
            if since is not None:
                known[_what(job)] = since
            silence = _silence(job)
            if silence:
                known[silence] = min(before.get(silence, now), now)
            dated.append(_dated(job, since, known.get(silence), now))
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
            return now if job.pod is None or tries_patience(job) else None
        return min(first, now)

    def forget(self, key: Key) -> None:
        """The resource is gone or at rest."""
        self._first.pop(key, None)


def _what(job: JobView) -> str:
    """The pod, or the Job that has none."""
    return job.name if job.pod is None else job.pod.name


def _silence(job: JobView) -> str:
    """What begins anew whenever something says why its pod does not start; '' while there is no such pod."""
    waits = job.is_active and job.pod is not None and not job.has_started
    return f"{_what(job)} is silent" if waits and obstacle_of(job) is None else ""


def _dated(job: JobView, since: datetime | None, silent: datetime | None, now: datetime) -> JobView:
    if job.pod is None:
        return replace(job, lacks_pod_since=since) if since and now - since >= A_WHILE else job
    silent_since = silent if silent and now - silent >= A_LONG_WHILE else None
    return replace(job, pod=replace(job.pod, waits_since=since, silent_since=silent_since))
