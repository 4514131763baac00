"""A cluster of one resource on this machine: Jobs are processes, objects are kept in memory.

Objects have the JSON shapes of an API server, so everything above the ``Cluster`` protocol is the same as in a
cluster. A ``Watcher`` stands for its watches, and hears each line of a log before the Job is said to have ended.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import signal
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from headway_operator.api import labels
from headway_operator.api.migration import Workload
from headway_operator.cluster.interface import Body, Conflict, Key, NotFound, Unavailable
from headway_operator.cluster.local_process import LocalProcess, Sources, follow, launch_of
from headway_operator.planner.explain import stamp

NAMESPACE = "default"


@dataclass(frozen=True)
class Site:
    """Where Jobs run: the injected runner, a folder for their files, and what they see of the outside."""

    runner: Path
    folder: Path
    sources: Sources
    environment: Mapping[str, str] = field(repr=False)
    now: Callable[[], datetime]


class Watcher(Protocol):
    """What a cluster tells of itself."""

    def migration_changed(self, body: Body) -> None:
        """The resource, its annotations or its status."""

    def owned_changed(self, body: Body) -> None:
        """A Job."""

    def line_written(self, job: Body, line: str) -> None:
        """One line of a Job's log."""


@dataclass
class _Work:
    """A Job with its pod, its process and the task that waits for it."""

    job: Body
    pod: Body
    process: LocalProcess | None = None
    task: asyncio.Task[None] | None = None


class LocalCluster:
    """Implements :class:`~headway_operator.cluster.interface.Cluster` for one resource."""

    def __init__(self, migration: Body, site: Site, watcher: Watcher) -> None:
        """``migration`` is a checked resource with its defaults."""
        self._site = site
        self._watcher = watcher
        self._versions = itertools.count(1)
        self._migration = copy.deepcopy(migration)
        self._migration["metadata"] |= {
            "namespace": NAMESPACE,
            "uid": str(uuid.uuid4()),
            "generation": 1,
            "creationTimestamp": stamp(site.now()),
        }
        self._touch()
        self._works: dict[str, _Work] = {}
        self._closing = False

    @property
    def key(self) -> Key:
        """The one resource."""
        return Key(NAMESPACE, self._migration["metadata"]["name"])

    @property
    def migration(self) -> Body:
        """The resource as it is now."""
        return copy.deepcopy(self._migration)

    @property
    def has_running_jobs(self) -> bool:
        """Whether a process is at work."""
        return any(work.process is not None and work.process.is_running for work in self._works.values())

    def log_of(self, job: str) -> Path:
        """The file with a Job's log."""
        return self._site.folder / job / "log"

    def annotate(self, name: str, value: str) -> None:
        """Annotate the resource, as ``kubectl annotate`` does."""
        self._migration["metadata"].setdefault("annotations", {})[name] = value
        self._touch()
        self._watcher.migration_changed(self.migration)

    def suspend(self) -> None:
        """Set ``spec.suspend``, as ``kubectl edit`` does: what runs stops at its next safe point."""
        self._migration["spec"]["suspend"] = True
        self._migration["metadata"]["generation"] += 1
        self._touch()
        self._watcher.migration_changed(self.migration)

    def terminate_jobs(self) -> None:
        """SIGTERM to every running Job, as when its pod is deleted."""
        for work in self._works.values():
            if work.process is not None:
                work.process.send(signal.SIGTERM)

    async def close(self, grace_seconds: float) -> None:
        """End what still runs."""
        self._closing = True
        running = [work for work in self._works.values() if work.process is not None]
        await asyncio.gather(
            *(work.process.end(grace_seconds) for work in running if work.process is not None)
        )
        await asyncio.gather(*(work.task for work in self._works.values() if work.task is not None))

    async def get_migration(self, key: Key) -> Body:
        """The resource."""
        if key != self.key:
            raise NotFound(f"there is no resource {key.name} here")
        return self.migration

    async def list_migrations(self) -> Sequence[Body]:
        """The one there is."""
        return [self.migration]

    async def list_jobs(self, key: Key, uid: str) -> Sequence[Body]:
        """All Jobs: they are all of this resource."""
        return [copy.deepcopy(work.job) for work in self._works.values()]

    async def list_pods(self, key: Key, uid: str) -> Sequence[Body]:
        """One for each Job."""
        return [copy.deepcopy(work.pod) for work in self._works.values()]

    async def create_job(self, namespace: str, job: Body) -> None:
        """Start it as a process; :class:`Invalid` when a Secret or ConfigMap is missing."""
        name = job["metadata"]["name"]
        if name in self._works:
            raise Conflict(f"the Job {name} exists")
        if self._closing:
            raise Unavailable("the run is ending: no Job is started any more")
        site = self._site
        launch = launch_of(job, site.sources, site.runner, site.folder / name, site.environment)
        work = self._new_work(job)
        work.process = await LocalProcess.start(launch)
        _set_state(work.pod, "Running", {"running": {"startedAt": self._stamp()}})
        self._works[name] = work
        work.task = asyncio.create_task(self._see_through(work, work.process))
        self._watcher.owned_changed(work.job)

    async def get_job(self, namespace: str, name: str) -> Body:
        """One Job."""
        return copy.deepcopy(self._work(name).job)

    async def delete_job(self, namespace: str, name: str) -> None:
        """It goes once its process has ended."""
        work = self._works.get(name)
        if work is None:
            return
        work.job["metadata"]["deletionTimestamp"] = self._stamp()
        if work.process is None or not work.process.is_running:
            del self._works[name]
        else:
            work.process.send(signal.SIGTERM)
        self._watcher.owned_changed(work.job)

    async def get_workload(self, namespace: str, workload: Workload) -> Body:
        """There are none on this machine."""
        raise NotFound("there are no workloads without a cluster")

    async def set_finalizers(self, key: Key, resource_version: str, finalizers: Sequence[str]) -> str:
        """Replace them."""
        self._expect(resource_version)
        self._migration["metadata"]["finalizers"] = list(finalizers)
        return self._touch()

    async def apply_status(self, key: Key, resource_version: str, status: Mapping[str, Any]) -> str:
        """Replace the status."""
        self._expect(resource_version)
        self._migration["status"] = copy.deepcopy(dict(status))
        version = self._touch()
        self._watcher.migration_changed(self.migration)
        return version

    async def annotate_pod(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Merge them, and put the operator's wishes where the process sees them."""
        work = self._work(name)
        if work.process is not None:
            for annotation, value in annotations.items():
                work.process.tell(annotation, value)
        work.pod["metadata"]["annotations"] |= annotations
        self._watcher.owned_changed(work.job)

    async def post_event(self, namespace: str, event: Body) -> None:
        """Nobody reads events here: what they say is in the status too."""

    async def read_log(self, namespace: str, pod: str) -> AsyncGenerator[str, None]:
        """Lines of the log as it is now; its pod has the name of its Job."""
        log = self.log_of(self._work(pod).job["metadata"]["name"])
        if not log.exists():
            return
        async with aclosing(follow(log, lambda: False)) as lines:
            async for line in lines:
                yield line

    async def follow_log(self, namespace: str, pod: str, since: str) -> AsyncGenerator[str, None]:
        """From the beginning, whatever ``since`` says: readers know events by their sequence numbers."""
        process = self._work(pod).process
        if process is None:
            return
        lines = follow(process.launch.log, lambda: process.is_running)
        async with aclosing(lines):
            async for line in lines:
                yield line

    def _new_work(self, job: Body) -> _Work:
        job, uid = copy.deepcopy(job), str(uuid.uuid4())
        job["metadata"] |= {"uid": uid, "creationTimestamp": self._stamp()}
        job["status"] = {"active": 1, "startTime": self._stamp()}
        template = job["spec"]["template"]["metadata"]
        pod = {
            "metadata": {
                "name": job["metadata"]["name"],
                "namespace": NAMESPACE,
                "labels": dict(template.get("labels", {})),
                "annotations": dict(template.get("annotations", {})),
                "creationTimestamp": self._stamp(),
                "ownerReferences": [{"kind": "Job", "uid": uid, "controller": True}],
            },
            "status": {"phase": "Pending"},
        }
        return _Work(job, pod)

    async def _see_through(self, work: _Work, process: LocalProcess) -> None:
        """Pass on its log, wait for its end, and only then say that it has ended."""
        pump = asyncio.create_task(self._pass_on(work, process))
        code = await process.wait()
        await pump
        ended = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "message": process.last_word,
            "finishedAt": self._stamp(),
        }
        _set_state(work.pod, "Succeeded" if code == 0 else "Failed", {"terminated": ended})
        work.job["status"] = {"conditions": [self._condition(code, process)]}
        if "deletionTimestamp" in work.job["metadata"]:
            del self._works[work.job["metadata"]["name"]]
        self._watcher.owned_changed(work.job)

    async def _pass_on(self, work: _Work, process: LocalProcess) -> None:
        async for line in follow(process.launch.log, lambda: process.is_running):
            self._watcher.line_written(work.job, line)

    def _condition(self, code: int, process: LocalProcess) -> dict[str, str]:
        condition = {"type": "Complete", "status": "True", "lastTransitionTime": self._stamp()}
        if process.deadline_exceeded:
            message = "Job was active longer than specified deadline"
            return condition | {"type": "Failed", "reason": "DeadlineExceeded", "message": message}
        if code != 0:
            message = f"its process ended with exit code {code}"
            return condition | {"type": "Failed", "reason": "BackoffLimitExceeded", "message": message}
        return condition

    def _work(self, name: str) -> _Work:
        if name not in self._works:
            raise NotFound(f"there is no Job or pod {name}")
        return self._works[name]

    def _expect(self, resource_version: str) -> None:
        if resource_version != self._migration["metadata"]["resourceVersion"]:
            raise Conflict("the resource has changed since it was read")

    def _touch(self) -> str:
        version = str(next(self._versions))
        self._migration["metadata"]["resourceVersion"] = version
        return version

    def _stamp(self) -> str:
        return stamp(self._site.now())


def _set_state(pod: Body, phase: str, state: Mapping[str, Any]) -> None:
    container = {"name": labels.MAIN_CONTAINER, "state": dict(state)}
    pod["status"] = {"phase": phase, "containerStatuses": [container]}
