"""What holds a run, in which order it is asked, and what holding means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.backfill import LEFT_OUT
from headway_contract.control import Control
from headway_contract.result import Outcome
from headway_operator.api.migration import PAUSED_ANNOTATION
from headway_operator.api.status import DatabasePhase
from headway_operator.planner import gates
from headway_operator.planner.actions import DeleteJob, SteerJob, StopJob
from headway_operator.planner.gates import AFTER_PLAN, GATES, first_block
from headway_operator.planner.plan import plan
from support.builders import a_job, a_migration, a_pod, a_result, a_snapshot, ended
from support.model import ModelCluster

CLOSED = {
    "specification_is_unreadable": {"problem": "spec.image is missing"},
    "pace_is_unknown": {"annotations": {"headway.dev/pace": "Turbo"}},
    "migration_is_suspended": {"suspend": True},
    "migration_is_paused": {"paused": "2026-11-23"},
}
WORDS = {
    "specification_is_unreadable": ("InvalidSpec", "spec.image is missing. Correct the field"),
    "pace_is_unknown": ("UnsupportedAnnotation", "Turbo is none of Gentle, Balanced, Fast. Remove"),
    "migration_is_suspended": ("Suspended", "nothing is started until it is false"),
    "migration_is_paused": ("Paused", "nothing is started until it is removed"),
}


def test_the_gates_are_asked_in_this_order():
    assert [gate.__name__ for gate in GATES] == list(CLOSED)
    assert [gate.__name__ for gate in AFTER_PLAN] == ["lint_forbids_the_plan", "approval_is_missing"]


def test_an_ordinary_resource_passes_every_gate():
    assert first_block(a_migration()) is None


@pytest.mark.parametrize("name", CLOSED)
def test_a_closed_gate_says_why_and_what_to_do(name):
    blocked = getattr(gates, name)(a_migration(**CLOSED[name]))
    reason, words = WORDS[name]
    assert blocked.reason == reason
    assert words in blocked.message
    others = [gate for gate in GATES if gate.__name__ != name]
    assert [gate(a_migration(**CLOSED[name])) for gate in others] == [None] * len(others)


@pytest.mark.parametrize("name", CLOSED)
def test_behind_a_closed_gate_nothing_starts_and_a_person_is_waited_for(name):
    decision = plan(a_snapshot(a_migration(**CLOSED[name])))
    assert decision.actions == ()
    assert decision.wake_after is None
    assert decision.status.condition("Ready").reason == WORDS[name][0]


@pytest.mark.parametrize("value", ["false", "False"])
def test_paused_false_is_not_paused(value):
    assert first_block(a_migration(paused=value)) is None


def test_a_suspension_stops_a_running_job_at_a_safe_point_and_tells_it_once():
    resource = a_migration(suspend=True, finalizer=True)
    job = a_job(resource)
    stop = StopJob(job.name, job.pod.name, 1, first_block(resource).message)
    assert plan(a_snapshot(resource, job)).actions == (stop,)
    told = replace(job, pod=a_pod(job.name, stop=True))
    assert plan(a_snapshot(resource, told)).actions == ()


def test_a_pause_holds_a_running_job_and_tells_it_once():
    begun = plan(a_snapshot(a_migration(plan="Never"))).status
    resource = a_migration(plan="Never", paused="1", finalizer=True, status=begun)
    job = a_job(resource, "main")
    hold = Control(1, pause="the annotation headway.dev/paused is set", backfill=LEFT_OUT)
    decision = plan(a_snapshot(resource, job))
    assert decision.actions == (SteerJob(job.name, job.pod.name, hold),)
    assert decision.status.database("main").phase is DatabasePhase.MIGRATING
    assert decision.status.condition("Reconciling").reason == "Paused"
    told = replace(job, pod=replace(job.pod, control=hold))
    assert plan(a_snapshot(resource, told)).actions == ()
    again = a_migration(plan="Never", finalizer=True, status=begun)
    (steer,) = plan(a_snapshot(again, told)).actions
    assert steer.control == Control(2, backfill=LEFT_OUT)


def test_a_plan_is_not_held_because_it_changes_nothing():
    resource = a_migration(paused="1")
    assert plan(a_snapshot(resource, a_job(resource))).actions == ()


def test_a_hold_that_outlasts_the_deadline_of_the_job_is_no_failure():
    begun = plan(a_snapshot(a_migration(plan="Never"))).status
    resource = a_migration(plan="Never", paused="1", finalizer=True, status=begun)
    job = a_job(resource, "main", pod=a_pod(control=Control(1, pause="because")))
    over = ended(job, a_result(Outcome.STOPPED), reason="DeadlineExceeded")
    status = plan(a_snapshot(resource, over)).status
    assert (status.database("main").phase, status.database("main").failures) == (DatabasePhase.PENDING, 0)


def a_job_that_ran_out_of_time(paused, last_handled):
    """The Job controller has deleted its pod, and what the runner said has gone with it."""
    begun = plan(a_snapshot(a_migration(plan="Never"))).status
    begun = replace(begun, last_handled_paused=last_handled)
    resource = a_migration(plan="Never", paused=paused, finalizer=True, status=begun)
    return a_snapshot(resource, ended(a_job(resource, "main", pod=None), reason="DeadlineExceeded"))


@pytest.mark.parametrize(("paused", "last_handled"), [("1", "1"), ("", "1")])
def test_a_hold_that_outlasts_the_deadline_is_no_failure_when_the_pod_is_gone(paused, last_handled):
    """Also when nobody looked until the pause was over."""
    status = plan(a_job_that_ran_out_of_time(paused, last_handled)).status
    after = status.database("main")
    assert (after.failures, after.reason) == (0, "")
    resumed = a_snapshot(a_migration(plan="Never", status=status))
    assert after.attempt == 2 or plan(resumed).starts[0].attempt == 2


def test_a_deadline_without_a_word_is_a_failure_where_nothing_was_paused():
    after = plan(a_job_that_ran_out_of_time("", "")).status.database("main")
    assert (after.phase, after.reason) == (DatabasePhase.FAILED, "DeadlineExceeded")


@pytest.mark.parametrize("pod", [None, a_pod(started=False)])
def test_a_pause_removes_a_job_that_has_not_started_and_counts_no_failure(pod):
    cluster = ModelCluster(a_migration(plan="Never", retries=0))
    (start,) = cluster.reconcile().starts
    cluster.jobs[start.name] = replace(cluster.jobs[start.name], pod=pod)
    cluster.annotate("headway.dev/paused", "1")
    assert cluster.reconcile().actions == (DeleteJob(start.name),)
    cluster.remove(start.name)
    cluster.reconcile()
    cluster.annotate("headway.dev/paused", "")
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"
    assert cluster.status.database("main").failures == 0


def test_a_crash_after_the_removal_counts_no_failure_either():
    cluster = ModelCluster(a_migration(plan="Never", retries=0))
    (start,) = cluster.reconcile().starts
    cluster.annotate("headway.dev/paused", "1")
    cluster.reconcile(crash_after=1)
    cluster.remove(start.name)
    cluster.reconcile()
    assert cluster.status.database("main").failures == 0


def test_any_number_of_suspensions_uses_up_no_attempt():
    cluster = ModelCluster(a_migration(retries=1))
    for _ in range(4):
        cluster.edit(suspend=False)
        (start,) = cluster.reconcile().starts
        cluster.start_pod(start.name)
        cluster.edit(suspend=True)
        cluster.reconcile()
        cluster.finish(start.name)
        assert cluster.reconcile().wake_after is None
    cluster.edit(suspend=False)
    cluster.flakes = {"": 1, "main": 1}
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"


def test_a_finished_run_stays_finished_when_it_is_suspended_paused_or_given_an_unknown_command():
    for held in ({"suspend": True}, {"paused": "1"}, {"annotations": {"headway.dev/pace": "Turbo"}}):
        cluster = ModelCluster()
        cluster.settle()
        cluster.migration = a_migration(status=cluster.status, **held)
        assert cluster.reconcile().status.condition("Ready").status == "True"


def test_a_retry_that_falls_due_while_held_wakes_nobody():
    cluster = ModelCluster(a_migration(plan="Never"))
    cluster.flakes = {"main": 1}
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.finish(start.name)
    cluster.annotate("headway.dev/paused", "1")
    assert cluster.reconcile().wake_after is None
    cluster.now = cluster.now.replace(hour=23)
    assert cluster.reconcile().wake_after is None


def test_nobody_is_skipped_for_a_failure_before_its_job_is_removed():
    cluster = ModelCluster(a_migration("main", "audit", plan="Never", parallel=2, retries=0))
    main, audit = cluster.reconcile().starts
    cluster.start_pod(main.name)
    cluster.finish(main.name, a_result(failure="RevisionFailed"))
    cluster.annotate(PAUSED_ANNOTATION, "1")
    assert cluster.reconcile().actions == (DeleteJob(audit.name),)
    cluster.reconcile()
    assert cluster.status.database("audit").phase is DatabasePhase.PENDING
    assert cluster.status.run.completion_time is None
    cluster.remove(audit.name)
    cluster.reconcile()
    assert cluster.status.database("audit").phase is DatabasePhase.SKIPPED
    assert cluster.status.run.result == "Failed"
