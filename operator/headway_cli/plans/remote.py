"""The plan of a resource in a cluster: from its plan Job's log, else what the status has of it. Only reads."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable

from headway_cli.plans.result import Told, told_of
from headway_cli.plans.view import Findings, ShownDatabase, ShownPlan, ShownRevision, shown
from headway_cli.problems import BadInput, Problem
from headway_cli.where import access_of
from headway_operator.api.migration import Migration, parse
from headway_operator.api.status import DatabaseStatus, Pending, Status
from headway_operator.cluster.access import Access, NoAccess
from headway_operator.cluster.api_server import ApiServer
from headway_operator.cluster.interface import Body, ClusterError, Forbidden, Key, NotFound
from headway_operator.cluster.kube import KubeCluster
from headway_operator.cluster.views import job_view

Review = Callable[[Migration], Findings]
LOG_IS_GONE = (
    "The log of the plan's Job is gone, and with it the statements: this is what the status has. "
    "`headway plan FILE` makes a plan anew, where the project is."
)
STALE = "The specification was changed since: this is the plan of generation {seen}, and {generation} is the newest."


def remote_plan(name: str, options: argparse.Namespace, review: Review) -> tuple[ShownPlan | None, Told]:
    """Read it with the user's own rights; raises :class:`BadInput`, ``ClusterError``."""
    try:
        access, usual = access_of(options)
    except NoAccess as error:
        raise BadInput(Problem("plan", "", str(error), f"If {name} is a file, write ./{name}")) from None
    return asyncio.run(_read(access, Key(options.namespace or usual, name), review))


async def _read(access: Access, key: Key, review: Review) -> tuple[ShownPlan | None, Told]:
    cluster = KubeCluster(ApiServer(access.session(), may_write=lambda: False))
    try:
        body = await cluster.get_migration(key)
        return await _of_resource(cluster, key, body, review)
    except NotFound:
        what = f"there is no DatabaseMigration {key.name} in the namespace {key.namespace}"
        advice = f"Name another namespace with -n; if {key.name} is a file, write ./{key.name}"
        raise BadInput(Problem("plan", "", what, advice)) from None
    except Forbidden as error:
        advice = "Reading a plan needs get on databasemigrations, jobs and pods, list on pods, and get on pods/log."
        raise BadInput(Problem("plan", "", str(error), advice)) from None
    except ClusterError as error:
        return None, Told(problem=str(error))
    finally:
        await cluster.close()


async def _of_resource(
    cluster: KubeCluster, key: Key, body: Body, review: Review
) -> tuple[ShownPlan | None, Told]:
    migration = parse(body)
    job = await _plan_job(cluster, key, migration)
    told = await _told(cluster, key, migration, job) if job is not None else Told()
    if told.plan is not None:
        known = migration.status.plan
        plan = shown(key.name, told.plan, review(migration), "" if known is None else known.digest)
        notes = () if any(one.facts for one in told.plan.databases) or not _pending(plan) else (LOG_IS_GONE,)
    elif migration.status.plan is not None and migration.status.plan.digest:
        plan, notes = of_status(key.name, migration.status), (LOG_IS_GONE,)
    else:
        return None, told if told.problem else Told(
            problem=f"{key.name} has no plan yet. {_why(migration)}".strip()
        )
    return ShownPlan(plan.name, plan.digest, plan.databases, (*notes, *_stale(migration))), Told()


def _pending(plan: ShownPlan) -> bool:
    return any(one.pending_count for one in plan.databases)


async def _plan_job(cluster: KubeCluster, key: Key, migration: Migration) -> Body | None:
    known = migration.status.plan
    if known is None or not known.job_name:
        return None
    try:
        return await cluster.get_job(key.namespace, known.job_name)
    except NotFound:
        return None


async def _told(cluster: KubeCluster, key: Key, migration: Migration, job: Body) -> Told:
    view = job_view(job, await cluster.list_pods(key, migration.uid))
    if view is None or view.pod is None or view.result is None:
        return Told()
    try:
        log = "\n".join([line async for line in cluster.read_log(key.namespace, view.pod.name)])
    except NotFound:
        log = ""
    return told_of(view.result, log, key.name)


def of_status(name: str, status: Status) -> ShownPlan:
    """What the status tells of a plan: names, no statements."""
    digest = "" if status.plan is None else status.plan.digest
    return ShownPlan(name, digest, tuple(map(_database, status.databases)))


def _database(one: DatabaseStatus) -> ShownDatabase:
    return ShownDatabase(
        name=one.name,
        digest="" if one.planned is None else one.planned.digest,
        current=tuple(filter(None, one.current_revision.split(", "))),
        target=tuple(filter(None, one.target_revision.split(", "))),
        pending_count=one.pending_count or 0,
        revisions=tuple(map(_revision, one.pending)),
    )


def _revision(one: Pending) -> ShownRevision:
    return ShownRevision(
        one.revision,
        one.title,
        post_deploy=one.post_deploy,
        not_shown="the status has no statements",
        warnings=one.warnings,
    )


def _why(migration: Migration) -> str:
    told = migration.status.condition("PlanReady") or migration.status.condition("Reconciling")
    return "" if told is None else told.message


def _stale(migration: Migration) -> tuple[str, ...]:
    run = migration.status.run
    seen = 0 if run is None else run.generation
    if not seen or seen == migration.generation:
        return ()
    return (STALE.format(seen=seen, generation=migration.generation),)
