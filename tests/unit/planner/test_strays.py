"""A pod that may still run, on a node that does not answer: nothing is started beside it, and a person is told."""

from dataclasses import replace
from datetime import timedelta

from headway_operator.planner.actions import StartJob
from headway_operator.planner.plan import plan
from headway_operator.planner.snapshot import StrayPod
from support.builders import NOW, a_job, a_migration, a_plan, a_pod, a_result, a_snapshot, ended

STRAY = StrayPod("shop-main-1-abcde", "worker-3", "main")


def planned(*names, **fields):
    """A resource whose databases all have a revision to apply, and the Job that planned them."""
    migration = a_migration(*names, **fields)
    return migration, ended(a_job(migration), a_result(plan=a_plan(**{name: ["a1"] for name in names})))


def started(decision):
    return [action.database for action in decision.actions if isinstance(action, StartJob)]


def test_no_job_is_started_for_a_database_that_has_a_stray_pod():
    migration, job = planned("main", "audit", parallel=2)
    assert started(plan(a_snapshot(migration, job))) == ["main", "audit"]
    assert started(plan(a_snapshot(migration, job, strays=(STRAY,)))) == ["audit"]


def test_a_stray_pod_is_named_with_what_to_do_and_looked_for_again():
    migration, job = planned("main")
    decision = plan(a_snapshot(migration, job, strays=(STRAY,)))
    condition = decision.status.condition("Reconciling")
    assert (condition.status, condition.reason) == ("True", "PodLeftBehind")
    assert "main: A pod that was to end may still run" in condition.message
    assert "The pod is shop-main-1-abcde on node worker-3." in condition.message
    assert decision.wake_after is not None


def test_a_stray_pod_of_another_database_is_not_told():
    migration, job = planned("main", "audit")
    stray = replace(STRAY, database="removed")
    assert (
        plan(a_snapshot(migration, job, strays=(stray,))).status.condition("Reconciling").reason
        == "Migrating"
    )


def pod_on_a_lost_node(late):
    migration, done = planned("main")
    job = a_job(migration, "main")
    pod = a_pod(job.name, node="worker-3", gone_by=NOW - late)
    return a_snapshot(migration, done, replace(job, pod=pod))


def test_a_pod_that_is_not_gone_in_time_is_told_and_its_job_stays_the_only_one():
    decision = plan(pod_on_a_lost_node(late=timedelta(minutes=2)))
    assert decision.status.condition("Reconciling").reason == "PodLeftBehind"
    assert started(decision) == []


def test_a_pod_that_is_ending_in_order_is_not_told():
    decision = plan(pod_on_a_lost_node(late=timedelta(seconds=-20)))
    assert decision.status.condition("Reconciling").reason == "Migrating"
