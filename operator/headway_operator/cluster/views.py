"""What the planner needs to know of Jobs and pods, out of their JSON. Pure.

A Job's pod is the newest one: an evicted pod is replaced under the same Job. The result is what the runner left as
the main container's termination message.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from headway_contract.control import ANNOTATION, Control
from headway_contract.result import RunResult
from headway_operator.api import labels
from headway_operator.cluster.interface import Body, Key
from headway_operator.planner.snapshot import JobState, JobView, PodView, Stage, StrayPod

_CHANGING = (Stage.MIGRATE, Stage.POST_DEPLOY)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_OF_THE_CONTAINER = ("", "Completed", "Error", "OOMKilled")
"""Endings of a container that ran: the message beside these is what it wrote itself, whatever that is."""
_UNSCHEDULED = ("Unschedulable", "SchedulingGated")
_STATES = {"Complete": JobState.SUCCEEDED, "Failed": JobState.FAILED}
_TO_FAIL = "FailureTarget"
"""It gets no further pod, and what runs of it is being ended."""


def job_views(jobs: Iterable[Body], pods: Sequence[Body]) -> tuple[JobView, ...]:
    """The Jobs that carry Headway's labels, each with its newest pod."""
    return tuple(view for job in jobs if (view := job_view(job, pods)) is not None)


def job_view(job: Body, pods: Sequence[Body]) -> JobView | None:
    """One Job, None when somebody has changed its labels so that it says nothing."""
    metadata = job["metadata"]
    marks = metadata.get("labels") or {}
    stage, attempt = marks.get(labels.STAGE, ""), marks.get(labels.ATTEMPT, "")
    if stage not in list(Stage) or not attempt.isdecimal():
        return None
    pod = newest_pod(job, pods)
    state, condition = _state(job, pod)
    return JobView(
        name=metadata["name"],
        run=marks.get(labels.RUN, ""),
        identity=marks.get(labels.IDENTITY, ""),
        stage=Stage(stage),
        database=marks.get(labels.DATABASE, ""),
        attempt=int(attempt),
        created=moment_of(metadata.get("creationTimestamp")),
        state=state,
        reason=condition.get("reason", ""),
        message=condition.get("message", "") if state is JobState.FAILED else "",
        deleting="deletionTimestamp" in metadata,
        result=_result(pod) if pod else None,
        pod=pod_view(pod) if pod else None,
        is_suspended=bool((job.get("spec") or {}).get("suspend")),
    )


def newest_pod(job: Body, pods: Sequence[Body]) -> Body | None:
    """The latest of the pods that this Job controls; of two of the same second the one that still runs."""
    own = [pod for pod in pods if controller_uid(pod) == job["metadata"].get("uid")]
    return max(own, key=_age_rank, default=None)


def stray_pods(jobs: Iterable[Body], pods: Sequence[Body]) -> tuple[StrayPod, ...]:
    """Pods on a node that migrate, are not over, and are controlled by none of the active Jobs among these."""
    active = {
        job["metadata"].get("uid") for job in jobs if _state(job, newest_pod(job, pods))[0] is JobState.ACTIVE
    }
    return tuple(
        StrayPod(pod["metadata"]["name"], pod["spec"]["nodeName"], marks.get(labels.DATABASE, ""))
        for pod in pods
        if (marks := pod["metadata"].get("labels") or {}).get(labels.STAGE) in _CHANGING
        and controller_uid(pod) not in active
        and (pod.get("spec") or {}).get("nodeName")
        and not _is_over(pod)
    )


def pod_view(pod: Body) -> PodView:
    """One pod: whether its main container runs, how it ended, and what keeps it from starting."""
    main = _main_status(pod).get("state") or {}
    ended = main.get("terminated")
    ended_reason = (ended or {}).get("reason", "")
    reason, message = _waiting(pod)
    wish = (pod["metadata"].get("annotations") or {}).get(ANNOTATION)
    gone_by = pod["metadata"].get("deletionTimestamp")
    return PodView(
        name=pod["metadata"]["name"],
        created=moment_of(pod["metadata"].get("creationTimestamp")),
        started=ended is not None or "running" in main,
        succeeded=ended is not None and ended.get("exitCode") == 0,
        ended_reason=ended_reason,
        ended_message="" if ended is None or ended_reason in _OF_THE_CONTAINER else ended.get("message", ""),
        taken_reason=(pod.get("status") or {}).get("reason", ""),
        taken_message=(pod.get("status") or {}).get("message", ""),
        waiting_reason=reason,
        waiting_message=message,
        control=Control.from_json(wish) if wish else Control(),
        node=(pod.get("spec") or {}).get("nodeName", ""),
        gone_by=moment_of(gone_by) if gone_by and not _is_over(pod) else None,
    )


def migration_key_of(body: Body) -> Key | None:
    """The resource that a Job or pod belongs to."""
    metadata = body["metadata"]
    name = (metadata.get("annotations") or {}).get(labels.MIGRATION_ANNOTATION)
    return Key(metadata.get("namespace", ""), name) if name else None


def controller_uid(body: Body) -> str:
    """The uid of the object that controls this one."""
    owners: list[dict[str, Any]] = body["metadata"].get("ownerReferences") or []
    return next((owner["uid"] for owner in owners if owner.get("controller")), "")


def is_running(pod: Body) -> bool:
    """Whether its main container runs now, so that its log is worth following."""
    return "running" in (_main_status(pod).get("state") or {})


def is_news(body: Body) -> bool:
    """Whether this state of a Job or pod can change a decision; that it exists or is on its way cannot."""
    state = _main_status(body).get("state") or {}
    return (
        _state(body)[0] is not JobState.ACTIVE
        or "deletionTimestamp" in body["metadata"]
        or "running" in state
        or "terminated" in state
        or any(_waiting(body))
    )


def moment_of(text: str | None) -> datetime:
    """A Kubernetes time; one that is absent is long ago."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else LONG_AGO


def _state(job: Body, pod: Body | None = None) -> tuple[JobState, Mapping[str, Any]]:
    """What the Job controller says; that a Job is to fail counts once its pod has ended, which may be gone by when it
    has failed.
    """
    said = {
        condition.get("type"): condition
        for condition in (job.get("status") or {}).get("conditions") or ()
        if condition.get("status") == "True"
    }
    for kind, state in _STATES.items():
        if kind in said:
            return state, said[kind]
    if _TO_FAIL in said and pod is not None and _is_over(pod):
        return JobState.FAILED, said[_TO_FAIL]
    return JobState.ACTIVE, {}


def _age_rank(pod: Body) -> tuple[datetime, bool, str]:
    over = _has_final_phase(pod)
    return moment_of(pod["metadata"].get("creationTimestamp")), not over, pod["metadata"]["name"]


def _has_final_phase(pod: Body) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _is_over(pod: Body) -> bool:
    """Whether nothing of it runs any more; of a node that does not answer, nobody knows that."""
    return _has_final_phase(pod) or "terminated" in (_main_status(pod).get("state") or {})


def _main_status(pod: Body) -> Mapping[str, Any]:
    """The status of the container that migrates; others may have been put beside it."""
    statuses: list[dict[str, Any]] = (pod.get("status") or {}).get("containerStatuses") or []
    return next((one for one in statuses if one.get("name") == labels.MAIN_CONTAINER), {})


def _waiting(pod: Body) -> tuple[str, str]:
    """What the first container that waits says (an init container comes first), else what the scheduler says."""
    status = pod.get("status") or {}
    for container in (
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            return waiting["reason"], waiting.get("message", "")
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") in _UNSCHEDULED:
            return condition["reason"], condition.get("message", "")
    return "", ""


def _result(pod: Body) -> RunResult | None:
    ended = (_main_status(pod).get("state") or {}).get("terminated") or {}
    return RunResult.from_json(ended.get("message") or "")
