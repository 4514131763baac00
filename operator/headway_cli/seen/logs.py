"""``headway logs``: what the newest Job of a run printed, with or without the runner's own lines."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from headway_cli.problems import BadInput, Problem
from headway_cli.seen.reach import reading
from headway_contract.events import Notice
from headway_contract.wire import MARK, from_line
from headway_operator.api import labels
from headway_operator.api.migration import Migration, parse
from headway_operator.cluster.interface import Body, ClusterError, Key, NotFound
from headway_operator.cluster.kube import KubeCluster
from headway_operator.cluster.views import newest_pod

LOOK_SECONDS = 1.0


async def logs(options: argparse.Namespace) -> int:
    """Of the newest Job, or of a database's; with ``--follow`` until it ends."""
    async with reading(options, options.name) as (api, namespace):
        cluster = KubeCluster(api, (namespace,))
        key = Key(namespace, options.name)
        migration = parse(await cluster.get_migration(key))
        uid = migration.uid
        job = newest_job(await cluster.list_jobs(key, uid), options.database)
        pod = newest_pod(job, await cluster.list_pods(key, uid)) if job is not None else None
        if job is None or pod is None:
            _check_there_is(options.database, migration)
            whose = f"the database {options.database}" if options.database else "it"
            why = f"there is no Job of {whose} any more, or not yet"
            advice = f"headway status {options.name} tells what happened"
            raise BadInput(Problem(options.name, "", why, advice))
        name = pod["metadata"]["name"]
        print(f"# pod {name} of Job {job['metadata']['name']}", flush=True)
        if options.follow:
            await _follow(cluster, namespace, name, options.events)
        else:
            async for line in cluster.read_log(namespace, name):
                _print(line, options.events)
    return 0


def _check_there_is(database: str, migration: Migration) -> None:
    """Raises :class:`BadInput` where the resource has no database of this name, and had none."""
    wanted = [] if migration.spec is None else [one.name for one in migration.spec.databases]
    names = [*wanted, *(one.name for one in migration.status.databases)]
    if database and names and database not in names:
        what = f"it has no database {database}"
        raise BadInput(Problem(migration.name, "", what, f"It has {', '.join(dict.fromkeys(names))}."))


def newest_job(jobs: Sequence[Body], database: str) -> Body | None:
    """By its creation; the plan's too, where no database is named."""
    fitting = [
        job for job in jobs if not database or job["metadata"]["labels"].get(labels.DATABASE) == database
    ]
    return max(fitting, key=lambda job: str(job["metadata"]["creationTimestamp"]), default=None)


async def _follow(cluster: KubeCluster, namespace: str, pod: str, events: bool) -> None:
    """A container that has not started yet is waited for."""
    while True:
        try:
            async for line in cluster.follow_log(namespace, pod, ""):
                _print(line, events)
            return
        except NotFound:
            raise
        except ClusterError as error:
            if "is waiting to start" not in str(error):
                raise
            await asyncio.sleep(LOOK_SECONDS)


def _print(line: str, events: bool) -> None:
    shown = line if events else readable(line)
    if shown is not None:
        print(shown, flush=True)


def readable(line: str) -> str | None:
    """A line of the log as it is; of the runner's own only its notices, as sentences. None: it is not shown."""
    if not line.startswith(MARK):
        return line
    envelope = from_line(line)
    if envelope is None or not isinstance(envelope.event, Notice):
        return None
    notice = envelope.event
    return f"notice: {notice.database}: {notice.message}" if notice.database else f"notice: {notice.message}"
