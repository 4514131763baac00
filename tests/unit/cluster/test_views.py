"""What the planner learns from the JSON of Jobs and pods."""

from typing import Any

from headway_contract.result import Outcome, RunResult
from headway_operator.api import labels
from headway_operator.cluster.views import is_news, job_view, job_views, migration_key_of
from headway_operator.planner.snapshot import JobState, Stage

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


def test_a_failed_job_tells_why_and_when() -> None:
    view = job_view(with_condition("Failed", reason="DeadlineExceeded", message="too long"), ())
    assert view is not None
    assert (view.state, view.reason, view.message) == (JobState.FAILED, "DeadlineExceeded", "too long")
    assert view.finished is not None


def test_a_job_that_is_about_to_fail_is_still_active() -> None:
    view = job_view(with_condition("FailureTarget"), ())
    assert view is not None
    assert view.state is JobState.ACTIVE


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


def test_a_pod_that_no_node_takes_says_so_and_is_news() -> None:
    pod = a_pod("p", "2026-11-23T08:00:01Z", {})
    why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes fit"}
    pod["status"]["conditions"] = [why]
    view = job_view(JOB, [pod])
    assert view is not None
    assert view.pod is not None
    assert (view.pod.waiting_reason, view.pod.waiting_message) == ("Unschedulable", "0/3 nodes fit")
    assert is_news(pod)


def test_a_text_that_is_no_result_is_none() -> None:
    pod = a_pod("p", "2026-11-23T08:00:01Z", {"terminated": {"exitCode": 137, "message": "Killed"}})
    view = job_view(JOB, [pod])
    assert view is not None
    assert view.result is None


def test_only_what_can_change_a_decision_is_news() -> None:
    created = "2026-11-23T08:00:01Z"
    assert not is_news(JOB)
    assert not is_news(a_pod("p", created, {"waiting": {"reason": "PodInitializing"}}))
    assert is_news(a_pod("p", created, {"running": {}}))
    assert is_news(a_pod("p", created, {"terminated": {"exitCode": 1}}))
    assert is_news(a_pod("p", created, {"waiting": {"reason": "ErrImagePull"}}))
    assert is_news(with_condition("Failed"))
    assert is_news({"metadata": {**JOB["metadata"], "deletionTimestamp": created}})
