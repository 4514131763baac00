"""Whether and when a failed attempt is followed by another one.

The pause doubles with each failure, from ``backoffSeconds`` up to ``maxBackoffSeconds``, and a part of up to a tenth
is added that depends on the Job's name only, so that many resources do not come back at the same moment.
"""

import hashlib
from datetime import datetime, timedelta

from headway_contract.result import Outcome, shorten
from headway_operator.api.migration import Retry
from headway_operator.api.reasons import Reason, reason_of
from headway_operator.planner.snapshot import JobView, PodView

PATIENCE = timedelta(minutes=10)
"""How long a pod may fail to start before that is a failure: an image or Secret may be on its way. It is counted from
when the operator saw it first, by its own clock.
"""

_WAITING_REASONS = {
    "ErrImagePull": "ImageNotPulled",
    "ImagePullBackOff": "ImageNotPulled",
    "InvalidImageName": "ImageNotPulled",
    "ErrImageNeverPull": "ImageNotPulled",
    "CreateContainerConfigError": "SecretNotFound",
    "CreateContainerError": "ContainerNotCreated",
    "RunContainerError": "ContainerNotCreated",
    "Unschedulable": "PodNotScheduled",
    "SchedulingGated": "PodNotStarted",
}
_WAITED_FOR = ("PodNotScheduled", "PodNotStarted")
"""However long: a node, an address or a volume may come at any time."""
_EVICTED = "Evicted"
"""Of a pod as a whole; the kubelet's other words stand in the sentence of ``PodFailed``."""
_NEVER_RAN = ("StartError", "ContainerCannotRun")
_NO_PROGRAM = ('exec: "', "executable file", "open executable")
"""In what runc and crun say of a program that is not there or cannot be executed."""
KUBELET_CHARACTERS = 500
"""Of its message: what matters comes last, after the names of all that have handed it on."""


def pause_after(failures: int, retry: Retry, job_name: str) -> timedelta:
    """The pause after so many failed attempts (at least one): ``backoffSeconds × 2^(failures − 1)``, bounded."""
    seconds = min(retry.max_backoff_seconds, retry.backoff_seconds * 2 ** min(failures - 1, 20))
    spread = int(hashlib.sha256(job_name.encode()).hexdigest()[:4], 16) / 0xFFFF / 10
    return timedelta(seconds=seconds * (1 + spread))


def retry_time(
    reason: Reason, failures: int, retry: Retry, job_name: str, since: datetime
) -> datetime | None:
    """When the attempt after this failure starts, None when there is none; ``failures`` counts this one too.

    ``since`` is when the operator saw it, by its own clock: the Job's end is told by another, which may be wrong.
    """
    if not reason.retry or failures > retry.limit:
        return None
    return since + pause_after(failures, retry, job_name)


def failure_of(job: JobView) -> tuple[Reason, str]:
    """Why this Job failed, as a reason and a message for people."""
    if job.result is not None and job.result.failure is not None:
        return reason_of(job.result.failure.name), job.result.failure.message
    if job.reason == "DeadlineExceeded":
        return reason_of("DeadlineExceeded"), job.message
    if job.result is not None and job.result.outcome is Outcome.SUCCEEDED:
        return reason_of("PlanUnreadable"), job.plan_untold
    waiting = obstacle_of(job)
    if waiting is not None:
        return waiting
    return _without_a_word(job)


def _without_a_word(job: JobView) -> tuple[Reason, str]:
    """Its runner has left nothing: what the kubelet says of its container."""
    if job.pod is None:
        return reason_of("PodFailed"), job.message
    how, told = job.pod.ended_reason, job.pod.ended_message
    if how == "OOMKilled":
        return reason_of("OutOfMemory"), ""
    # A container may also not start because of its node, which another attempt gets over.
    if how in _NEVER_RAN and _has_no_program(told):
        return reason_of("InterpreterNotFound"), shorten(told, KUBELET_CHARACTERS)
    evicted = eviction_of(job)
    if evicted is not None:
        return evicted
    if job.pod.taken_reason:
        return reason_of("PodFailed"), _in_its_words(job.pod.taken_reason, job.pod.taken_message)
    return reason_of("PodFailed"), _in_its_words(how, told) if told else job.message


def eviction_of(job: JobView) -> tuple[Reason, str] | None:
    """How its node has taken its pod away, which its Job may be about to replace; None when it has not."""
    if job.pod is None or job.pod.taken_reason != _EVICTED:
        return None
    return reason_of("PodEvicted"), _in_its_words(_EVICTED, job.pod.taken_message)


def obstacle_of(job: JobView) -> tuple[Reason, str] | None:
    """Why this Job's pod does not start, None when nothing is in its way."""
    if job.pod is None:
        told = f"kubectl describe job {job.name} says why"
        return (reason_of("PodNotCreated"), told) if job.lacks_pod_since is not None else None
    if job.pod.started:
        return None
    if job.pod.waiting_reason not in _WAITING_REASONS:
        return (reason_of("PodNotStarted"), _silence(job.pod)) if job.pod.silent_since is not None else None
    name = _WAITING_REASONS[job.pod.waiting_reason]
    told = job.pod.waiting_message
    # The kubelet has one word for both; only its message tells them apart.
    if name == "SecretNotFound" and "runAsNonRoot" in told:
        name = "ImageRunsAsRoot"
    if name == "ContainerNotCreated":
        # CRI-O looks for the program when it creates a container, containerd when it starts it.
        name = "InterpreterNotFound" if _has_no_program(told) else name
        told = _in_its_words(job.pod.waiting_reason, told)
    return reason_of(name), told


def _silence(pod: PodView) -> str:
    """All that the status of such a pod has may be a word that nobody here knows."""
    words = _in_its_words(pod.waiting_reason, pod.waiting_message)
    return "; ".join(filter(None, (words, f"kubectl describe pod {pod.name} says why")))


def _has_no_program(told: str) -> bool:
    return any(word in told for word in _NO_PROGRAM)


def _in_its_words(word: str, told: str) -> str:
    """The kubelet's word and what it says beside it."""
    return ": ".join(filter(None, (word, shorten(told, KUBELET_CHARACTERS))))


def patience_is_over(job: JobView, now: datetime) -> bool:
    """Whether its pod has had something in its way for too long."""
    since = waits_since(job)
    return tries_patience(job) and since is not None and now - since >= PATIENCE


def tries_patience(job: JobView) -> bool:
    """Whether something is in its pod's way that is not waited for however long it takes."""
    obstacle = obstacle_of(job)
    return obstacle is not None and obstacle[0].name not in _WAITED_FOR


def waits_since(job: JobView) -> datetime | None:
    """Since when this operator sees that it has no pod, or that its pod does not start."""
    return job.lacks_pod_since if job.pod is None else job.pod.waits_since
