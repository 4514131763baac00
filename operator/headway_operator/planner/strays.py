"""Pods of which nobody knows whether they still run: nothing is started beside one, and a person is told.

The database's own lock would keep two runners apart, too; this is the first of the two guards. A pod is over when its
node says so, or when somebody deletes it by force, who then answers for it.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

from headway_operator.api.reasons import reason_of
from headway_operator.api.status import DatabasePhase, DatabaseStatus
from headway_operator.planner.explain import explain
from headway_operator.planner.snapshot import JobView, Snapshot

LEFT_BEHIND = "PodLeftBehind"
LATE = timedelta(minutes=1)
"""How long after the end of its grace period a pod may take to be gone before that is said."""


def databases_with_strays(snapshot: Snapshot) -> frozenset[str]:
    """Those that no Job may be started for."""
    return frozenset(stray.database for stray in snapshot.strays)


def waits_for_a_pod(snapshot: Snapshot, databases: tuple[DatabaseStatus, ...]) -> str:
    """Which pod the run waits for, for people; '' when there is none."""
    told = next(chain(_before_a_start(snapshot, databases), _that_do_not_end(snapshot)), None)
    if told is None:
        return ""
    database, pod, node = told
    seen = f"The pod is {pod} on node {node}"
    return f"{database}: {explain(reason_of(LEFT_BEHIND), seen, snapshot.migration.name)}"


def is_late(job: JobView, snapshot: Snapshot) -> bool:
    """Whether its pod should have been gone for some time."""
    gone_by = job.pod.gone_by if job.pod is not None and job.is_active else None
    return gone_by is not None and snapshot.now - gone_by >= LATE


def _before_a_start(
    snapshot: Snapshot, databases: tuple[DatabaseStatus, ...]
) -> Iterator[tuple[str, str, str]]:
    idle = {one.name for one in databases if one.phase in (DatabasePhase.PENDING, DatabasePhase.WAITING)}
    return ((one.database, one.name, one.node) for one in snapshot.strays if one.database in idle)


def _that_do_not_end(snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    for job in snapshot.jobs:
        if job.pod is not None and is_late(job, snapshot):
            yield job.database or "plan", job.pod.name, job.pod.node
