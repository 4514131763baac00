"""A cluster in memory: uids, generations, resource versions, finalizers and conflicts as an API server has them.

Tests play the rest: `start_pod`, `finish`, `edit`, `delete`. `before_write` is called with the name of every writing
call before it takes effect, and may raise what it likes: a `Crash`, a `Conflict`, an `Unavailable`.
"""

import itertools
import json
import pickle
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from headway_contract.control import ANNOTATION, Control
from headway_contract.result import Outcome, RunResult
from headway_operator.api import labels
from headway_operator.api.migration import Migration, Workload, parse
from headway_operator.cluster.interface import Body, Conflict, Forbidden, Key, NotFound

T = TypeVar("T")
CREATED = "2026-11-23T08:00:00Z"


def _copied(value: T) -> T:
    """Nothing of it is shared. Copied by `deepcopy`, bodies would take a tenth of the time of all unit tests."""
    copy: T = pickle.loads(pickle.dumps(value))
    return copy


class Crash(BaseException):
    """The operator is gone between two actions."""


@dataclass
class FakeCluster:
    """Implements the operator's `Cluster`; `calls` are the names of all calls, in order."""

    migrations: dict[Key, Body] = field(default_factory=dict)
    jobs: dict[str, Body] = field(default_factory=dict)
    pods: dict[str, Body] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    events: dict[str, Body] = field(default_factory=dict)
    workloads: dict[Workload, Body] = field(default_factory=dict)
    created_jobs: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    before_write: Callable[[str], None] = lambda call: None
    quota: Callable[[Mapping[str, str]], bool] = lambda labels: True
    """Whether a Job with these labels may be created now."""
    listener: Any = None
    _versions: Any = field(default_factory=lambda: itertools.count(1))

    # What a test does.

    def add(self, name: str, spec: Mapping[str, Any], **metadata: Any) -> Key:
        """A user creates a resource."""
        number = next(self._versions)
        key = Key("shop", name)
        self.migrations[key] = {
            "metadata": {
                "namespace": "shop",
                "name": name,
                "uid": f"uid-{number}",
                "generation": 1,
                "resourceVersion": str(number),
                "creationTimestamp": CREATED,
                **metadata,
            },
            "spec": _copied(dict(spec)),
            "status": {"observedGeneration": -1},
        }
        self._changed(key)
        return key

    def edit(self, key: Key, **spec: Any) -> None:
        """A user changes the specification."""
        self.migrations[key]["spec"].update(spec)
        self.migrations[key]["metadata"]["generation"] += 1
        self._changed(key)

    def annotate(self, key: Key, **annotations: str) -> None:
        """A user sets `headway.dev/…` annotations."""
        found = self.migrations[key]["metadata"].setdefault("annotations", {})
        found.update({f"headway.dev/{name}": value for name, value in annotations.items()})
        self._changed(key)

    def empty_status(self, key: Key) -> None:
        """A user takes the status away."""
        self.migrations[key]["status"] = {"observedGeneration": -1}
        self._changed(key)

    def delete(self, key: Key) -> None:
        """A user deletes the resource: gone at once without finalizers."""
        self.migrations[key]["metadata"]["deletionTimestamp"] = CREATED
        self._changed(key)

    def start_pod(self, job: str) -> str:
        """The kubelet starts the Job's pod; returns its name."""
        return self._pod(job, {"running": {}})

    def pod_waits(self, job: str, reason: str, message: str = "") -> None:
        """The kubelet cannot start it."""
        self._pod(job, {"waiting": {"reason": reason, "message": message}})

    def pod_is_not_bound(self, job: str, reason: str) -> None:
        """The scheduler has no node for it, or is not to look for one."""
        name = self._pod(job, {})
        condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": "because"}
        self.pods[name]["status"] = {"conditions": [condition]}
        self._owned(self.pods[name])

    def finish(self, job: str, result: RunResult | None, exit_code: int | None = None) -> None:
        """The pod ends with this termination message, and the Job controller says so."""
        good = result is not None and result.outcome is Outcome.SUCCEEDED
        code = exit_code if exit_code is not None else (0 if good else 1)
        self._pod(job, {"terminated": {"exitCode": code, "message": result.to_json() if result else ""}})
        kind = "Complete" if code == 0 else "Failed"
        condition = {"type": kind, "status": "True", "lastTransitionTime": CREATED, "reason": "Played"}
        self.jobs[job].setdefault("status", {})["conditions"] = [condition]
        self._bump(self.jobs[job])
        self._owned(self.jobs[job])

    def lose(self, job: str) -> None:
        """Somebody deletes the Job."""
        self.pods = {name: pod for name, pod in self.pods.items() if not name.startswith(job)}
        self._owned(self.jobs.pop(job), gone=True)

    def migration(self, key: Key) -> Migration:
        """As the operator reads it."""
        return parse(self.migrations[key])

    def condition(self, key: Key, kind: str) -> tuple[str, str]:
        """Status and reason."""
        found = self.migration(key).status.condition(kind)
        return (found.status, found.reason) if found else ("", "")

    def active_jobs(self) -> list[str]:
        """Names of the Jobs that have not ended, in order of creation."""
        return [name for name, job in self.jobs.items() if not job.get("status", {}).get("conditions")]

    def wish_of(self, job: str) -> Control:
        """What the Job's pod has been told."""
        (pod,) = (pod for name, pod in self.pods.items() if name.startswith(job))
        return Control.from_json(pod["metadata"].get("annotations", {}).get(ANNOTATION, "{}"))

    # The protocol.

    async def get_migration(self, key: Key) -> Body:
        self.calls.append("get_migration")
        return _copied(self._found(key))

    async def list_migrations(self) -> Sequence[Body]:
        self.calls.append("list_migrations")
        return _copied(list(self.migrations.values()))

    async def list_jobs(self, key: Key, uid: str) -> Sequence[Body]:
        self.calls.append("list_jobs")
        return _of_uid(self.jobs, uid)

    async def list_pods(self, key: Key, uid: str) -> Sequence[Body]:
        self.calls.append("list_pods")
        return _of_uid(self.pods, uid)

    async def create_job(self, namespace: str, job: Body) -> None:
        self._writes("create_job")
        name = job["metadata"]["name"]
        if not self.quota(job["metadata"]["labels"]):
            raise Forbidden(f'jobs.batch "{name}" is forbidden: exceeded quota: one-job')
        if name in self.jobs:
            raise Conflict(f"{name} already exists")
        made = _copied(job)
        made["metadata"] |= {"uid": f"uid-{next(self._versions)}", "creationTimestamp": CREATED}
        self.jobs[name] = made
        self.created_jobs.append(name)
        self._bump(made)
        self._owned(made)

    async def get_job(self, namespace: str, name: str) -> Body:
        self.calls.append("get_job")
        if name not in self.jobs:
            raise NotFound(name)
        return _copied(self.jobs[name])

    async def get_workload(self, namespace: str, workload: Workload) -> Body:
        self.calls.append("get_workload")
        if workload not in self.workloads:
            raise NotFound(workload.shown)
        return _copied(self.workloads[workload])

    async def delete_job(self, namespace: str, name: str) -> None:
        self._writes("delete_job")
        if name in self.jobs:
            self.lose(name)

    async def set_finalizers(self, key: Key, resource_version: str, finalizers: Sequence[str]) -> str:
        self._writes("set_finalizers")
        metadata = self._checked(key, resource_version)["metadata"]
        metadata["finalizers"] = list(finalizers)
        self._changed(key)
        return str(metadata["resourceVersion"])

    async def apply_status(self, key: Key, resource_version: str, status: Mapping[str, Any]) -> str:
        self._writes("apply_status")
        body = self._checked(key, resource_version)
        # Through text, as over a wire: what cannot be JSON shows here.
        body["status"] = json.loads(json.dumps(status))
        self._changed(key)
        return str(body["metadata"]["resourceVersion"])

    async def annotate_pod(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        self._writes("annotate_pod")
        if name not in self.pods:
            raise NotFound(name)
        self.pods[name]["metadata"].setdefault("annotations", {}).update(annotations)

    async def post_event(self, namespace: str, event: Body) -> None:
        self._writes("post_event")
        self.events.setdefault(event["metadata"]["name"], event)

    async def read_log(self, namespace: str, pod: str) -> AsyncGenerator[str, None]:
        self.calls.append("read_log")
        for line in self.logs[pod].splitlines():
            yield line

    async def follow_log(self, namespace: str, pod: str, since: str) -> AsyncGenerator[str, None]:
        self.calls.append("follow_log")
        for line in self.logs.get(pod, "").splitlines():
            yield line

    def _pod(self, job: str, state: Mapping[str, Any]) -> str:
        name, body = f"{job}-pod", self.jobs[job]
        pod = self.pods.setdefault(
            name,
            {
                "metadata": {
                    **_copied(body["spec"]["template"]["metadata"]),
                    "name": name,
                    "namespace": "shop",
                    "creationTimestamp": CREATED,
                    "ownerReferences": [{"uid": body["metadata"]["uid"], "controller": True}],
                }
            },
        )
        pod["status"] = {"containerStatuses": [{"name": "migrate", "state": dict(state)}]}
        self._owned(pod)
        return name

    def _found(self, key: Key) -> Body:
        if key not in self.migrations:
            raise NotFound(f"{key.namespace}/{key.name}")
        return self.migrations[key]

    def _checked(self, key: Key, resource_version: str) -> Body:
        body = self._found(key)
        if body["metadata"]["resourceVersion"] != resource_version:
            raise Conflict("the object has been modified")
        return body

    def _writes(self, call: str) -> None:
        self.calls.append(call)
        self.before_write(call)

    def _changed(self, key: Key) -> None:
        body = self.migrations[key]
        self._bump(body)
        gone = "deletionTimestamp" in body["metadata"] and not body["metadata"].get("finalizers")
        if gone:
            del self.migrations[key]
        if self.listener is not None:
            seen = self.listener.on_migration_gone if gone else self.listener.on_migration
            seen(_copied(body))

    def _bump(self, body: Body) -> None:
        body["metadata"]["resourceVersion"] = str(next(self._versions))

    def _owned(self, body: Body, gone: bool = False) -> None:
        if self.listener is not None:
            self.listener.on_owned(_copied(body), gone=gone)


def _of_uid(bodies: Mapping[str, Body], uid: str) -> list[Body]:
    return [_copied(body) for body in bodies.values() if body["metadata"]["labels"].get(labels.UID) == uid]


def a_spec(*databases: str, **fields: Any) -> dict[str, Any]:
    """A specification of these databases, each of which finds its URL in the Secret of its name."""
    return {
        "image": "registry.example.com/shop:1",
        "databases": [
            {"name": name, "urlFrom": {"secretKeyRef": {"name": name, "key": "uri"}}} for name in databases
        ],
        **fields,
    }
