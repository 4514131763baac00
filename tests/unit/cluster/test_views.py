"""What the planner learns from the JSON of Jobs and pods."""

from typing import Any

import pytest

from headway_contract.result import Outcome, RunResult
from headway_operator.api import labels
from headway_operator.cluster.views import (
    is_news,
    job_view,
    job_views,
    migration_key_of,
    moment_of,
    stray_pods,
)
from headway_operator.planner.snapshot import JobState, Stage, StrayPod

JOB: dict[str, Any] = {
    "metadata": {
        "name": "shop-main-1",
        "namespace": "shop",
        "uid": "job-1",
        "creationTimestamp": "2026-11-23T08:00:00Z",
        "labels": {
            labels.RUN: "r1",
            labels.IDENTITY: "i1",
            labels.STAGE: "Migrate",
            labels.DATABASE: "main",
            labels.ATTEMPT: "2",
        },
        "annotations": {labels.MIGRATION_ANNOTATION: "shop"},
    }
}


def a_pod(name: str, created: str, state: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": created,
            "ownerReferences": [{"uid": "job-1", "controller": True}],
            **metadata,
        },
        "status": {"containerStatuses": [{"name": "migrate", "state": state}]},
    }


def with_condition(kind: str, **fields: str) -> dict[str, Any]:
    condition = {"type": kind, "status": "True", "lastTransitionTime": "2026-11-23T08:01:00Z", **fields}
    return {**JOB, "status": {"conditions": [condition]}}


def test_a_job_says_what_it_is_for() -> None:
    view = job_view(JOB, ())
    assert view is not None
    assert (view.run, view.identity, view.stage, view.database, view.attempt) == (
        "r1",
        "i1",
        Stage.MIGRATE,
        "main",
        2,
    )
    assert view.state is JobState.ACTIVE
    assert migration_key_of(JOB) == migration_key_of({"metadata": {**JOB["metadata"], "labels": None}})


def test_a_job_whose_labels_somebody_changed_is_not_seen() -> None:
    assert job_views([{"metadata": {"name": "x", "labels": {labels.STAGE: "Nonsense"}}}], ()) == ()


def test_a_failed_job_tells_why() -> None:
    view = job_view(with_condition("Failed", reason="DeadlineExceeded", message="too long"), ())
    assert view is not None
    assert (view.state, view.reason, view.message) == (JobState.FAILED, "DeadlineExceeded", "too long")


def test_a_job_that_is_about_to_fail_is_still_active() -> None:
    view = job_view(with_condition("FailureTarget"), ())
    assert view is not None
    assert view.state is JobState.ACTIVE


def test_a_job_that_is_about_to_fail_has_done_so_once_its_container_has_ended() -> None:
    """Its pod may be gone, and its last word with it, by when the Job controller says that it has failed."""
    result = RunResult(Outcome.STOPPED, "r1", "main", to_revision=("a1",))
    job = with_condition("FailureTarget", reason="DeadlineExceeded", message="too long")
    ended = {"terminated": {"exitCode": 72, "message": result.to_json()}}
    view = job_view(job, [a_pod("p", "2026-11-23T08:00:01Z", ended)])
    assert view is not None
    assert (view.state, view.reason, view.result) == (JobState.FAILED, "DeadlineExceeded", result)
    running = job_view(job, [a_pod("p", "2026-11-23T08:00:01Z", {"running": {}})])
    assert running is not None
    assert (running.state, running.reason) == (JobState.ACTIVE, "")


def test_an_earlier_pod_of_a_job_that_is_about_to_fail_is_a_stray() -> None:
    job = with_condition("FailureTarget", reason="DeadlineExceeded")
    marks = {labels.STAGE: "Migrate", labels.DATABASE: "main"}
    earlier = a_pod("earlier", "2026-11-23T08:00:01Z", {"running": {}}, labels=marks)
    earlier["spec"] = {"nodeName": "node-1"}
    newest = a_pod("newest", "2026-11-23T08:00:11Z", {"terminated": {"exitCode": 72}}, labels=marks)
    assert stray_pods([job], [earlier, newest]) == (StrayPod("earlier", "node-1", "main"),)
    assert stray_pods([JOB], [earlier, newest]) == ()


def test_the_newest_pod_counts_and_its_termination_message_is_the_result() -> None:
    result = RunResult(Outcome.SUCCEEDED, "r1", "main")
    evicted = a_pod("old", "2026-11-23T08:00:01Z", {"terminated": {"exitCode": 143, "message": "?"}})
    ended = {"terminated": {"exitCode": 0, "message": result.to_json()}}
    newest = a_pod("new", "2026-11-23T08:00:11Z", ended)
    view = job_view(JOB, [newest, evicted])
    assert view is not None
    assert view.pod is not None
    assert (view.pod.name, view.pod.succeeded, view.result) == ("new", True, result)
    assert not view.is_active, "the Job controller says so only a second later"


def test_another_job_s_pod_does_not_count() -> None:
    pod = a_pod("p", "2026-11-23T08:00:01Z", {"running": {}}, ownerReferences=[])
    view = job_view(JOB, [pod])
    assert view is not None
    assert view.pod is None


def test_what_keeps_a_pod_from_starting_is_seen_in_either_container() -> None:
    pod = a_pod("p", "2026-11-23T08:00:01Z", {"waiting": {"reason": "PodInitializing"}})
    pull = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    pod["status"]["initContainerStatuses"] = [pull]
    view = job_view(JOB, [pod])
    assert view is not None
    assert view.pod is not None
    assert (view.pod.waiting_reason, view.pod.started) == ("ImagePullBackOff", False)


@pytest.mark.parametrize(
    ("reason", "told"),
    [("Unschedulable", "0/3 nodes fit"), ("SchedulingGated", "non-empty scheduling gates")],
)
def test_a_pod_that_no_node_takes_says_so_and_is_news(reason: str, told: str) -> None:
    pod = a_pod("p", "2026-11-23T08:00:01Z", {})
    why = {"type": "PodScheduled", "status": "False", "reason": reason, "message": told}
    pod["status"]["conditions"] = [why]
    view = job_view(JOB, [pod])
    assert view is not None
    assert view.pod is not None
    assert (view.pod.waiting_reason, view.pod.waiting_message) == (reason, told)
    assert is_news(pod)


def test_a_container_that_was_put_beside_ours_says_nothing_of_the_run() -> None:
    result = RunResult(Outcome.SUCCEEDED, "r1", "main")
    pod = a_pod("p", "2026-11-23T08:00:01Z", {"terminated": {"exitCode": 0, "message": result.to_json()}})
    proxy = {"name": "a-proxy", "state": {"running": {}}}
    pod["status"]["containerStatuses"].insert(0, proxy)
    view = job_view(JOB, [pod])
    assert view is not None
    assert view.pod is not None
    assert (view.pod.succeeded, view.result) == (True, result)


def test_a_text_that_is_no_result_is_none() -> None:
    pod = a_pod("p", "2026-11-23T08:00:01Z", {"terminated": {"exitCode": 137, "message": "Killed"}})
    view = job_view(JOB, [pod])
    assert view is not None
    assert view.result is None


@pytest.mark.parametrize(
    ("reason", "told"), [("StartError", "no such file"), ("OOMKilled", ""), ("Error", "")]
)
def test_how_a_container_ended_is_told_and_never_what_it_wrote_itself(reason: str, told: str) -> None:
    state = {"terminated": {"exitCode": 128, "reason": reason, "message": "no such file"}}
    view = job_view(JOB, [a_pod("p", "2026-11-23T08:00:01Z", state)])
    assert view is not None
    assert view.pod is not None
    assert (view.pod.ended_reason, view.pod.ended_message) == (reason, told)


def test_why_the_kubelet_took_a_whole_pod_away_is_told() -> None:
    pod = a_pod("p", "2026-11-23T08:00:01Z", {"terminated": {"exitCode": 137, "reason": "Error"}})
    pod["status"] |= {
        "phase": "Failed",
        "reason": "Evicted",
        "message": "The node was low on resource: memory.",
    }
    view = job_view(JOB, [pod])
    assert view is not None
    assert view.pod is not None
    assert view.pod.taken_reason == "Evicted"
    assert view.pod.taken_message == "The node was low on resource: memory."


def test_only_what_can_change_a_decision_is_news() -> None:
    created = "2026-11-23T08:00:01Z"
    assert not is_news(JOB)
    assert not is_news(a_pod("p", created, {"waiting": {"reason": "PodInitializing"}}))
    assert is_news(a_pod("p", created, {"running": {}}))
    assert is_news(a_pod("p", created, {"terminated": {"exitCode": 1}}))
    assert is_news(a_pod("p", created, {"waiting": {"reason": "ErrImagePull"}}))
    assert is_news(with_condition("Failed"))
    assert is_news({"metadata": {**JOB["metadata"], "deletionTimestamp": created}})


def on_a_node(phase: str, owner: str = "job-1", state: str = "running", **metadata: Any) -> dict[str, Any]:
    pod = a_pod("p", "2026-11-23T08:00:00Z", {state: {}}, labels=JOB["metadata"]["labels"], **metadata)
    pod["metadata"]["ownerReferences"] = [{"uid": owner, "controller": True}]
    pod["spec"], pod["status"]["phase"] = {"nodeName": "worker-3"}, phase
    return pod


@pytest.mark.parametrize("phase", ["Pending", "Running", "Unknown"])
def test_a_pod_whose_job_is_gone_or_over_may_still_run(phase: str) -> None:
    stray = (StrayPod("p", "worker-3", "main"),)
    failed = {**JOB, **with_condition("Failed")}
    assert stray_pods([], [on_a_node(phase)]) == stray
    assert stray_pods([JOB], [on_a_node(phase, owner="job-0")]) == stray
    assert stray_pods([failed], [on_a_node(phase)]) == stray


@pytest.mark.parametrize(("stage", "matters"), [("Plan", False), ("Migrate", True), ("PostDeploy", True)])
def test_a_pod_matters_when_its_job_changes_something(stage: str, matters: bool) -> None:
    pod = on_a_node("Running")
    pod["metadata"]["labels"] = {**JOB["metadata"]["labels"], labels.STAGE: stage}
    assert bool(stray_pods([], [pod])) == matters


def test_a_pod_of_an_active_job_or_one_that_is_over_is_no_stray() -> None:
    unbound = on_a_node("Pending")
    unbound["spec"] = {}
    assert stray_pods([JOB], [on_a_node("Running")]) == ()
    assert stray_pods([], [on_a_node("Failed"), on_a_node("Succeeded"), unbound]) == ()
    assert stray_pods([], [on_a_node("Running", state="terminated")]) == ()


def test_a_pod_that_is_being_deleted_says_by_when_it_is_to_be_gone() -> None:
    ending = on_a_node("Running", deletionTimestamp="2026-11-23T08:05:00Z")
    view = job_view(JOB, [ending])
    assert view is not None
    assert view.pod is not None
    assert view.pod.gone_by == moment_of("2026-11-23T08:05:00Z")
    over = job_view(JOB, [on_a_node("Failed", deletionTimestamp="2026-11-23T08:05:00Z")])
    assert over is not None
    assert over.pod is not None
    assert over.pod.gone_by is None
