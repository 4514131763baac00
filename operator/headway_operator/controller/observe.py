"""Gathers what a decision may look at: the resource, its Jobs, their pods, the plan's document, the progress.

No cache: every look asks the API server, and asks no more than this state of the resource needs.
"""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

from headway_contract.result import Outcome, Plan
from headway_contract.wire import PART_CHARACTERS, DocumentInLog
from headway_operator.api.migration import Migration, Workload
from headway_operator.api.status import DatabasePhase, Stage, Status
from headway_operator.cluster.interface import (
    Body,
    Cluster,
    ClusterError,
    Forbidden,
    Key,
    NotFound,
    Unavailable,
)
from headway_operator.cluster.logs import Target
from headway_operator.cluster.rollout_view import rollout_of
from headway_operator.cluster.views import is_running, job_views, newest_pod, stray_pods
from headway_operator.planner.snapshot import JobProgress, JobState, JobView, Rollout, Snapshot

MOST_PARTS = 5_500
"""Of a plan's document, about 8 MB: what revisions do is told in 3 MB at most, the rest are names and titles."""
UNTOLD = (
    "what the revisions do was not read: the plan's log tells it in {parts:,} pieces of "
    f"{PART_CHARACTERS:,} characters, and at most {MOST_PARTS:,} are read"
)


@dataclass(frozen=True)
class Sight:
    """One look: the planner's snapshot, and the pods whose logs are worth following."""

    snapshot: Snapshot
    targets: tuple[Target, ...] = ()
    is_first: bool = False
    """Nobody has looked at the resource before, and nothing was told of it."""


def is_fresh(migration: Migration) -> bool:
    """Nothing was ever done about it, so it has no Jobs; should that be wrong, their names tell.

    Only the first generation: the Jobs of a later one need not have the names of its first run.
    """
    return (
        migration.generation == 1 and migration.status == Status() and not migration.finalizers
    ) and not migration.deleting


async def observe(
    cluster: Cluster, migration: Migration, progress: tuple[JobProgress, ...], now: datetime
) -> Sight:
    """Look at the Jobs and what belongs to them; raises :class:`ClusterError`."""
    key = Key(migration.namespace, migration.name)
    bodies = await cluster.list_jobs(key, migration.uid)
    pods: Sequence[Body] = ()
    if _pods_matter(migration, bodies):
        pods = await cluster.list_pods(key, migration.uid)
    jobs = tuple([await with_plan(cluster, migration, job) for job in job_views(bodies, pods)])
    rollouts = await _rollouts(cluster, migration)
    snapshot = Snapshot(now, migration, jobs, progress, stray_pods(bodies, pods), rollouts)
    return Sight(snapshot, _targets(bodies, pods))


async def _rollouts(cluster: Cluster, migration: Migration) -> tuple[Rollout, ...]:
    """Of the workloads to wait for, once something waits for them."""
    waits = any(
        one.stage is Stage.POST_DEPLOY and one.phase is DatabasePhase.PENDING
        for one in migration.status.databases
    )
    if migration.spec is None or not waits:
        return ()
    return tuple(
        [await _rollout(cluster, migration.namespace, one) for one in migration.spec.post_deploy.wait_for]
    )


async def _rollout(cluster: Cluster, namespace: str, workload: Workload) -> Rollout:
    """One; what is not there, or may not be read, is waited for like everything else."""
    try:
        return rollout_of(workload, await cluster.get_workload(namespace, workload))
    except NotFound:
        return Rollout(workload, "there is none in this namespace")
    except Forbidden as error:
        return Rollout(workload, f"the operator may not read it ({error})")


def _pods_matter(migration: Migration, jobs: Sequence[Body]) -> bool:
    """A Job is active, or the run is not over yet, so that a result may be unread, or a Job's pod outlive it."""
    run = migration.status.run
    is_over = run is not None and run.completion_time is not None
    views = job_views(jobs, ())
    unread = any(not is_over or run is None or job.run != run.id for job in views)
    goes_on = run is not None and not is_over
    return unread or goes_on or any(job.state is JobState.ACTIVE for job in views)


async def with_plan(cluster: Cluster, migration: Migration, job: JobView) -> JobView:
    """The plan from the log, when it did not fit into the result and the status does not have it yet.

    One whose facts alone did not fit is good without them, should its log be gone.
    """
    result, known = job.result, migration.status.plan
    is_known = known is not None and bool(known.completion_time) and known.job_name == job.name
    if result is None or not result.plan_sha256 or is_known or job.pod is None:
        return job
    if result.outcome is not Outcome.SUCCEEDED:
        return job
    document = DocumentInLog(result.plan_sha256, MOST_PARTS)
    try:
        async with aclosing(cluster.read_log(migration.namespace, job.pod.name)) as lines:
            async for line in lines:
                document.take(line)
    except Unavailable:
        raise
    except ClusterError:
        return job
    if document.is_too_long:
        return replace(job, plan_untold=UNTOLD.format(parts=document.parts))
    text = document.text
    plan = Plan.from_json(text) if text else None
    return replace(job, result=replace(result, plan=plan or result.plan))


def _targets(jobs: Sequence[Body], pods: Sequence[Body]) -> tuple[Target, ...]:
    newest = ((job["metadata"]["name"], newest_pod(job, pods)) for job in jobs)
    return tuple(Target(job, pod["metadata"]["name"]) for job, pod in newest if pod and is_running(pod))
