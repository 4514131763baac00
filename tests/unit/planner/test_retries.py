"""Which failures are tried again, when, and how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from headway_contract.failures import FAILURES
from headway_contract.result import Outcome
from headway_operator.api.migration import Retry
from headway_operator.api.status import DatabasePhase
from headway_operator.planner.actions import DeleteJob
from headway_operator.planner.plan import SAFETY, plan
from headway_operator.planner.retries import PATIENCE, failure_of, pause_after
from support.builders import NOW, a_job, a_migration, a_pod, a_result, a_snapshot, ended
from support.model import ModelCluster


def one_database(**fields) -> ModelCluster:
    """A run whose only Job has started."""
    cluster = ModelCluster(a_migration(plan="Never", **fields))
    cluster.start_pod(cluster.reconcile().starts[0].name)
    return cluster


def end_with(cluster: ModelCluster, result=None, **fields):
    """The active Job ends so, and the operator looks."""
    (job,) = cluster.active
    cluster.jobs[job.name] = ended(job, result, **fields)
    return cluster.reconcile()


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.name)
def test_a_failure_class_says_itself_whether_another_attempt_is_made(kind):
    cluster = one_database()
    end_with(cluster, a_result(failure=kind.name, message="seen in the log"))
    main = cluster.status.database("main")
    assert main.phase is (DatabasePhase.WAITING if kind.retry else DatabasePhase.FAILED)
    assert main.reason == kind.name
    for part in (kind.meaning, "seen in the log.", kind.next_step.replace("NAME", "shop")):
        assert part in main.message


def test_the_pause_doubles_up_to_its_bound_and_is_spread_by_a_tenth():
    retry = Retry(limit=9, backoff_seconds=10, max_backoff_seconds=60)
    for failures, seconds in ((1, 10), (2, 20), (3, 40), (4, 60), (500, 60)):
        pause = pause_after(failures, retry, "shop-main-1").total_seconds()
        assert seconds <= pause <= seconds * 1.1
    assert pause_after(1, retry, "a") != pause_after(1, retry, "b")


def test_the_defaults_outlast_a_database_that_is_away_for_twenty_seconds():
    """Though an attempt that finds nobody takes no time at all, so that nothing but the pauses passes."""
    cluster = one_database(retries=Retry().limit)
    back = cluster.now + timedelta(seconds=20)
    while cluster.now < back:
        wake = end_with(cluster, a_result(failure="DatabaseUnreachable")).wake_after
        assert cluster.status.database("main").phase is DatabasePhase.WAITING
        cluster.now += wake
        cluster.start_pod(cluster.reconcile().starts[0].name)
    end_with(cluster, a_result())
    assert cluster.status.database("main").phase is DatabasePhase.SUCCEEDED


def test_the_defaults_outlast_twenty_seconds_also_of_a_database_that_is_not_planned_yet():
    cluster = ModelCluster(a_migration(retries=Retry().limit))
    cluster.start_pod(cluster.reconcile().starts[0].name)
    back = cluster.now + timedelta(seconds=20)
    while cluster.now < back:
        wake = end_with(cluster, a_result(failure="DatabaseUnreachable")).wake_after
        assert cluster.status.condition("Reconciling").reason == "Retrying"
        cluster.now += wake
        cluster.start_pod(cluster.reconcile().starts[0].name)
    assert cluster.status.plan.reason == ""
    assert cluster.status.plan.attempt <= Retry().limit + 1


def test_the_next_attempt_starts_when_it_is_due_and_not_before():
    cluster = one_database()
    wake = end_with(cluster, a_result(failure="LockTimeout")).wake_after
    assert timedelta(seconds=9) < wake <= timedelta(seconds=11)
    cluster.now += wake / 2
    assert cluster.reconcile().starts == ()
    cluster.now += wake
    (start,) = cluster.reconcile().starts
    assert start.attempt == 2


def test_after_the_last_retry_the_database_has_failed():
    cluster = one_database(retries=1)
    cluster.now += end_with(cluster, a_result(failure="LockTimeout")).wake_after
    cluster.start_pod(cluster.reconcile().starts[0].name)
    assert end_with(cluster, a_result(failure="LockTimeout")).wake_after is None
    assert cluster.status.database("main").phase is DatabasePhase.FAILED
    assert cluster.status.condition("Ready").reason == "LockTimeout"


def test_a_lost_job_is_checked_again_not_run_blindly():
    cluster = one_database()
    cluster.remove(cluster.active[0].name)
    decision = cluster.reconcile()
    assert decision.starts == ()
    main = cluster.status.database("main")
    assert (main.phase, main.reason) == (DatabasePhase.WAITING, "JobDisappeared")
    cluster.settle()
    assert cluster.status.database("main").attempt == 2
    assert cluster.status.condition("Ready").status == "True"


def test_a_lost_plan_is_made_again_after_a_pause():
    cluster = ModelCluster()
    cluster.remove(cluster.reconcile().starts[0].name)
    cluster.reconcile()
    assert cluster.status.plan.reason == "JobDisappeared"
    cluster.settle()
    assert cluster.status.plan.attempt == 2
    assert cluster.status.condition("Ready").status == "True"


def test_something_that_always_deletes_the_jobs_ends_in_a_failure():
    cluster = ModelCluster(a_migration(plan="Never", retries=2))
    for _ in range(3):
        cluster.remove(cluster.reconcile().starts[0].name)
        cluster.now += cluster.reconcile().wake_after or timedelta()
    assert cluster.reconcile().starts == ()
    assert cluster.status.condition("Ready").reason == "JobDisappeared"


def test_a_deadline_is_a_failure_also_when_the_runner_stopped_at_a_safe_point():
    cluster = one_database()
    end_with(cluster, a_result(Outcome.STOPPED), reason="DeadlineExceeded", message="too long")
    assert cluster.status.database("main").phase is DatabasePhase.FAILED
    assert cluster.status.condition("Ready").reason == "DeadlineExceeded"


def test_a_job_that_stopped_at_a_safe_point_is_followed_by_another_at_once():
    cluster = one_database()
    (start,) = end_with(cluster, a_result(Outcome.STOPPED)).starts
    assert start.attempt == 2
    assert cluster.status.database("main").failures == 0


def test_a_stopped_plan_is_made_again_at_once():
    cluster = ModelCluster()
    cluster.start_pod(cluster.reconcile().starts[0].name)
    (start,) = end_with(cluster, a_result(Outcome.STOPPED)).starts
    assert (start.database, start.attempt) == ("", 2)


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ({"result": None}, "PodFailed"),
        ({"result": a_result(failure="ANewerClass")}, "Unexpected"),
        ({"result": None, "pod": None}, "PodFailed"),
        ({"result": None, "pod": a_pod(started=False, waiting_reason="ImagePullBackOff")}, "ImageNotPulled"),
    ],
)
def test_a_failed_job_has_a_reason_whatever_is_known_of_it(job, reason):
    result = job.pop("result")
    assert failure_of(ended(a_job(a_migration(), "main"), result, **job))[0].name == reason


NO_INTERPRETER = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    'unable to start container process: error during container init: exec: "/app/.venv/bin/python": '
    "stat /app/.venv/bin/python: no such file or directory"
)


@pytest.mark.parametrize("word", ["StartError", "ContainerCannotRun"])
def test_an_interpreter_that_is_not_there_is_named_and_not_tried_again(word):
    cluster = one_database()
    (job,) = cluster.active
    cluster.start_pod(job.name, ended_reason=word, ended_message=NO_INTERPRETER)
    assert end_with(cluster, message="reached the backoff limit").wake_after is None
    main = cluster.status.database("main")
    assert (main.phase, main.reason) == (DatabasePhase.FAILED, "InterpreterNotFound")
    assert "stat /app/.venv/bin/python: no such file or directory. " in main.message
    assert "Correct spec.alembic.python" in main.message


def test_a_container_that_its_node_could_not_start_is_tried_again_and_why_is_told():
    cluster = one_database()
    (job,) = cluster.active
    cluster.start_pod(job.name, ended_reason="StartError", ended_message="cgroup: no space left on device")
    end_with(cluster)
    main = cluster.status.database("main")
    assert (main.phase, main.reason) == (DatabasePhase.WAITING, "PodFailed")
    assert "StartError: cgroup: no space left on device. " in main.message


def test_a_pod_without_enough_memory_says_which_limit_to_raise():
    cluster = one_database()
    (job,) = cluster.active
    cluster.start_pod(job.name, ended_reason="OOMKilled")
    end_with(cluster, message="reached the backoff limit")
    main = cluster.status.database("main")
    assert (main.phase, main.reason) == (DatabasePhase.WAITING, "OutOfMemory")
    assert "limits.memory in spec.job.resources" in main.message


EVICTED = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi."


def test_a_pod_that_its_node_evicted_says_so_and_what_the_node_lacked():
    cluster = one_database()
    (job,) = cluster.active
    cluster.start_pod(job.name, ended_reason="Error", taken_reason="Evicted", taken_message=EVICTED)
    end_with(cluster, message="Job has reached the specified backoff limit")
    main = cluster.status.database("main")
    assert (main.phase, main.reason) == (DatabasePhase.WAITING, "PodEvicted")
    assert f"Evicted: {EVICTED} " in main.message
    assert "spec.job.resources.requests" in cluster.status.condition("Reconciling").message


def test_an_evicted_pod_is_told_while_its_job_has_not_replaced_it_and_no_longer():
    cluster = one_database()
    (job,) = cluster.active
    cluster.start_pod(job.name, ended_reason="Error", taken_reason="Evicted", taken_message=EVICTED)
    cluster.reconcile()
    main = cluster.status.database("main")
    assert (main.phase, main.attempt) == (DatabasePhase.MIGRATING, 1)
    assert f"took the Job's pod away. Evicted: {EVICTED} " in main.message
    cluster.start_pod(job.name, ended_reason="", taken_reason="", taken_message="")
    cluster.reconcile()
    assert "Evicted" not in cluster.status.database("main").message


def test_another_word_of_the_kubelet_for_a_whole_pod_is_told_as_it_is():
    cluster = one_database()
    (job,) = cluster.active
    cluster.start_pod(
        job.name, started=False, taken_reason="UnexpectedAdmissionError", taken_message="no device"
    )
    end_with(cluster, message="Job has reached the specified backoff limit")
    main = cluster.status.database("main")
    assert main.reason == "PodFailed"
    assert "ended without a result. UnexpectedAdmissionError: no device. " in main.message


def test_what_the_runner_has_said_is_told_however_its_container_ended():
    pod = a_pod(ended_reason="OOMKilled")
    job = ended(a_job(a_migration(), "main", pod=pod), a_result(failure="LockTimeout"))
    assert failure_of(job)[0].name == "LockTimeout"


def test_a_plan_that_cannot_be_read_is_made_again():
    cluster = ModelCluster()
    cluster.start_pod(cluster.reconcile().starts[0].name)
    end_with(cluster, a_result(plan_sha256="1234"))
    assert cluster.status.plan.reason == "PlanUnreadable"
    assert cluster.status.condition("Reconciling").reason == "Retrying"


WAITING = {"started": False, "waiting_reason": "ImagePullBackOff", "waiting_message": "no such tag"}


def test_a_pod_that_cannot_start_is_waited_for_and_the_reason_is_told():
    resource = a_migration(finalizer=True)
    decision = plan(a_snapshot(resource, a_job(resource, pod=a_pod(**WAITING))))
    assert decision.actions == ()
    assert "no such tag" in decision.status.condition("Ready").message
    assert decision.wake_after == SAFETY


def test_a_pod_that_could_not_start_for_too_long_is_given_up():
    resource = a_migration(finalizer=True)
    job = a_job(resource, pod=a_pod(**WAITING, age=PATIENCE))
    decision = plan(a_snapshot(resource, job))
    assert decision.actions == (DeleteJob(job.name),)
    assert decision.status.condition("Stalled").reason == "ImageNotPulled"
    gone = a_migration(finalizer=True, status=decision.status)
    assert plan(a_snapshot(gone)).status.condition("Stalled").reason == "ImageNotPulled"


def test_the_operator_looks_again_at_the_moment_when_patience_ends():
    resource = a_migration(finalizer=True)
    pod = a_pod(**WAITING, age=PATIENCE - timedelta(seconds=5))
    assert plan(a_snapshot(resource, a_job(resource, pod=pod))).wake_after == timedelta(seconds=5)


def test_a_job_that_lacks_its_pod_is_given_up_when_patience_ends_and_looked_at_then():
    resource = a_migration(finalizer=True)
    since = NOW - PATIENCE + timedelta(seconds=5)
    job = a_job(resource, pod=None, lacks_pod_since=since)
    decision = plan(a_snapshot(resource, job))
    assert decision.actions == ()
    assert decision.wake_after == timedelta(seconds=5)
    decision = plan(a_snapshot(resource, replace(job, lacks_pod_since=NOW - PATIENCE)))
    assert decision.actions == (DeleteJob(job.name),)
    assert decision.status.condition("Stalled").reason == "PodNotCreated"


def test_a_job_counts_as_ended_once_its_result_is_there():
    """Its Job controller may need a while longer to say so."""
    cluster = one_database()
    (job,) = cluster.active
    cluster.start_pod(job.name, succeeded=True)
    cluster.jobs[job.name] = ended(cluster.jobs[job.name], a_result(), state=job.state)
    cluster.reconcile()
    assert cluster.status.condition("Ready").status == "True"
    assert not cluster.resource.has_finalizer


def test_failures_are_counted_from_the_jobs_when_the_status_is_lost():
    cluster = one_database(retries=2)
    for _ in range(2):
        cluster.now += end_with(cluster, a_result(failure="LockTimeout")).wake_after
        cluster.start_pod(cluster.reconcile().starts[0].name)
    cluster.empty_status()
    end_with(cluster, a_result(failure="LockTimeout"))
    assert cluster.status.database("main").phase is DatabasePhase.FAILED
    assert cluster.now > NOW


def test_a_pod_that_no_node_takes_is_waited_for_however_long_it_takes():
    cluster = one_database()
    (job,) = cluster.active
    pod = a_pod(started=False, waiting_reason="Unschedulable", waiting_message="0/3 nodes fit")
    cluster.jobs[job.name] = replace(job, pod=pod)
    cluster.now += 10 * PATIENCE
    cluster.reconcile()
    assert cluster.status.condition("Ready").reason == "PodNotScheduled"
    assert "0/3 nodes fit" in cluster.status.database("main").message
    assert cluster.active
