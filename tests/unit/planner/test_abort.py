"""An abort ends one run and no other: what still happens, what is told of it, and what leads on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from headway_contract.result import Outcome
from headway_operator.api.migration import ABORT_ANNOTATION, APPROVE_ANNOTATION, PAUSED_ANNOTATION
from headway_operator.api.migration import RETRY_ANNOTATION as RETRY
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Run, Status
from headway_operator.planner.abort import IS_ABORTED
from headway_operator.planner.actions import DeleteJob, StopJob
from headway_operator.planner.explain import stamp
from headway_operator.planner.plan import plan
from headway_operator.planner.snapshot import Snapshot, StrayPod
from support.builders import NOW, a_database, a_job, a_migration, a_plan, a_result
from support.judges import verdicts
from support.model import ModelCluster

NAMES = ("main", "analytics", "audit")


def a_running_one(**fields) -> ModelCluster:
    """The second of three databases is worked on."""
    cluster = ModelCluster(a_migration(*NAMES, **fields))
    start(cluster, a_result(plan=a_plan(main=["a1"], analytics=["b1", "b2", "b3"], audit=["c1"])))
    start(cluster)
    start_only(cluster)
    cluster.reconcile()
    return cluster


def start(cluster: ModelCluster, result=None) -> None:
    name = start_only(cluster)
    cluster.finish(name, result)


def start_only(cluster: ModelCluster) -> str:
    (begun,) = cluster.reconcile().starts
    cluster.start_pod(begun.name)
    return begun.name


def abort(cluster: ModelCluster, token: str = "now") -> None:
    cluster.annotate(ABORT_ANNOTATION, token)


def stopped(**fields):
    """What the runner says of a stop after one of three revisions."""
    return a_result(Outcome.STOPPED, applied_count=1, pending_count=2, to_revision=("b1",), **fields)


def test_what_runs_is_told_to_stop_once_and_nothing_more_is_started():
    cluster = a_running_one(parallel=1)
    (job,) = cluster.active
    abort(cluster)
    decision = cluster.reconcile()
    assert decision.actions == (StopJob(job.name, job.pod.name, 1, IS_ABORTED),)
    assert (cluster.status.phase, cluster.status.condition("Reconciling").reason) == ("Aborting", "Aborting")
    assert verdicts(cluster.status, 1) == ("InProgress", "Progressing", False)
    assert cluster.status.last_handled_abort == "now"
    assert cluster.status.run.completion_time is None, "something of it still runs"
    assert cluster.reconcile().actions == ()


def test_at_the_end_it_is_told_of_each_database_what_was_applied():
    cluster = a_running_one()
    abort(cluster)
    cluster.reconcile()
    cluster.finish(cluster.active[0].name, stopped(notice="users.status is half filled."))
    decision = cluster.reconcile()
    assert (decision.starts, decision.wake_after) == ((), None)
    ready = cluster.status.condition("Ready")
    assert ready.reason == "Aborted"
    assert ready.message == (
        "A person ended the run; what was applied stays. main: done; analytics: 1 of 3 revisions applied, "
        "it is at b1 (users.status is half filled); audit: not started. A new run goes on from there: change the "
        "specification, or kubectl annotate dbmig shop headway.dev/retry=$(date +%s) --overwrite"
    )
    assert [one.phase for one in cluster.status.databases] == [
        DatabasePhase.SUCCEEDED,
        DatabasePhase.SKIPPED,
        DatabasePhase.SKIPPED,
    ]
    assert cluster.status.phase == "Aborted"
    assert (cluster.status.run.result, cluster.status.history[0].result) == ("Aborted", "Aborted")


def test_an_aborted_run_reads_as_failed_so_that_nothing_rolls_out_and_no_sync_hangs():
    cluster = a_running_one()
    abort(cluster)
    cluster.settle()
    assert verdicts(cluster.status, 1) == ("Failed", "Degraded", False)


def test_a_job_that_has_not_started_is_removed_and_one_that_did_after_all_is_believed():
    cluster = a_running_one()
    (job,) = cluster.active
    cluster.jobs[job.name] = replace(job, pod=None)
    abort(cluster)
    assert cluster.reconcile().actions == (DeleteJob(job.name),)
    assert cluster.status.database("analytics").phase is DatabasePhase.PENDING, "it may still have begun"
    cluster.start_pod(job.name)
    cluster.finish(job.name)
    cluster.reconcile()
    assert cluster.status.database("analytics").phase is DatabasePhase.SUCCEEDED
    assert cluster.status.run.result == "Aborted"


def test_a_pod_of_which_nobody_knows_whether_it_runs_is_waited_for():
    cluster = a_running_one()
    (job,) = cluster.active
    abort(cluster)
    cluster.reconcile()
    cluster.finish(job.name, stopped())
    stray = StrayPod("shop-analytics-x", "node-1", "analytics")
    status = plan(replace(cluster.snapshot(), strays=(stray,))).status
    assert (status.run.completion_time, status.condition("Ready").reason) == (None, "PodLeftBehind")


def test_a_run_between_two_attempts_ends_at_once():
    cluster = a_running_one()
    cluster.finish(cluster.active[0].name, a_result(failure="LockTimeout"))
    cluster.reconcile()
    abort(cluster)
    assert cluster.reconcile().wake_after is None
    assert cluster.status.run.result == "Aborted"


@pytest.mark.parametrize("is_made", [False, True])
def test_a_run_that_changed_nothing_yet_can_be_aborted_too(is_made):
    cluster = ModelCluster(a_migration(approval="Required"))
    name = start_only(cluster)
    if is_made:
        cluster.finish(name)
        cluster.reconcile()
    abort(cluster)
    cluster.settle()
    assert cluster.status.condition("Ready").reason == "Aborted"
    assert "main: not started" in cluster.status.condition("Ready").message
    assert cluster.status.condition("Approved").status == "False"
    assert cluster.status.condition("PlanReady").status == ("True" if is_made else "False")
    assert cluster.heads == {}


def test_a_plan_that_is_being_made_ends_first():
    cluster = ModelCluster()
    name = start_only(cluster)
    abort(cluster)
    cluster.reconcile()
    assert cluster.status.run.completion_time is None
    cluster.finish(name)
    cluster.reconcile()
    assert cluster.status.run.result == "Aborted"


def test_an_abort_that_comes_when_all_is_done_changes_nothing():
    cluster = a_running_one()
    cluster.settle()
    before = cluster.status
    abort(cluster)
    assert cluster.reconcile().actions == ()
    assert cluster.status == replace(before, last_handled_abort="now")


def test_an_abort_that_the_last_database_outruns_is_a_success():
    cluster = ModelCluster(a_migration(plan="Never"))
    name = start_only(cluster)
    cluster.reconcile()
    abort(cluster)
    cluster.reconcile()
    cluster.finish(name, a_result(to_revision=("a1",), applied_count=1))
    cluster.reconcile()
    assert cluster.status.condition("Ready").status == "True"
    assert cluster.status.run.result == "Succeeded"


def test_a_database_that_failed_meanwhile_is_named():
    cluster = a_running_one()
    abort(cluster)
    cluster.reconcile()
    cluster.finish(cluster.active[0].name, a_result(failure="RevisionFailed"))
    cluster.reconcile()
    assert cluster.status.database("analytics").phase is DatabasePhase.FAILED


def test_the_token_that_ended_a_run_ends_no_later_one():
    for lead_out in ("retry", "edit"):
        cluster = a_running_one()
        abort(cluster)
        cluster.settle()
        if lead_out == "retry":
            cluster.annotate(RETRY, "2")
        else:
            cluster.edit(image="shop:2")
        cluster.settle()
        assert cluster.status.run.result == "Succeeded", lead_out
        assert cluster.resource.annotations[ABORT_ANNOTATION] == "now"


def test_a_token_that_comes_with_the_resource_or_with_an_edit_ends_nothing():
    copied = ModelCluster(a_migration(annotations={ABORT_ANNOTATION: "of last year"}))
    copied.settle()
    assert copied.status.run.result == "Succeeded"
    cluster = a_running_one()
    cluster.edit(image="shop:2")
    abort(cluster)
    cluster.settle()
    assert (cluster.status.run.image, cluster.status.run.result) == ("shop:2", "Succeeded")


def test_a_token_that_names_a_run_ends_that_one_only():
    cluster = a_running_one()
    abort(cluster, "00000000/now")
    assert cluster.reconcile().actions == ()
    assert cluster.status.last_handled_abort == "00000000/now"
    abort(cluster, f"{cluster.status.run.id}/now")
    cluster.settle()
    assert cluster.status.run.result == "Aborted"


def test_a_new_run_that_is_held_before_it_began_can_be_aborted():
    cluster = a_running_one()
    cluster.settle()
    cluster.annotate(PAUSED_ANNOTATION, "1")
    cluster.edit(image="shop:2")
    cluster.reconcile()
    abort(cluster)
    cluster.reconcile()
    assert (cluster.status.run.image, cluster.status.run.result) == ("shop:2", "Aborted")
    assert cluster.status.condition("Ready").reason == "Aborted"


def test_an_abort_while_the_run_before_still_stops_ends_the_new_one_when_that_has_stopped():
    cluster = a_running_one()
    (job,) = cluster.active
    cluster.edit(image="shop:2")
    cluster.reconcile()
    abort(cluster)
    cluster.reconcile()
    assert cluster.status.condition("Reconciling").reason == "Aborting"
    cluster.finish(job.name, stopped())
    cluster.reconcile()
    assert (cluster.status.run.image, cluster.status.run.result) == ("shop:2", "Aborted")


def test_a_run_that_is_aborted_while_the_one_before_still_stops_stays_the_last_one_whatever_the_clocks_say():
    """Nothing but times tells which was last: the history keeps no run, and the API server's clock is ahead."""
    cluster = a_running_one(failed_runs_history_limit=0, successful_runs_history_limit=0)
    (job,) = cluster.active
    for name, one in list(cluster.jobs.items()):
        cluster.jobs[name] = replace(one, created=one.created + timedelta(minutes=5))
    cluster.edit(image="shop:2")
    cluster.reconcile()
    abort(cluster)
    cluster.reconcile()
    aborted = cluster.status.run
    cluster.reconcile()
    assert (cluster.status.run, aborted.image) == (aborted, "shop:2")
    cluster.finish(job.name, stopped())
    cluster.settle()
    assert (cluster.status.run.id, cluster.status.run.result) == (aborted.id, "Aborted")
    assert cluster.status.run.completion_time >= cluster.status.run.start_time


def test_pause_and_abort_at_once_is_an_abort():
    cluster = a_running_one()
    cluster.annotate(PAUSED_ANNOTATION, "1")
    cluster.reconcile()
    abort(cluster)
    (stop,) = cluster.reconcile().actions
    assert isinstance(stop, StopJob)
    cluster.finish(cluster.active[0].name)
    cluster.reconcile()
    assert cluster.status.condition("Ready").reason == "Aborted", "it is over, paused or not"


def test_one_approves_while_another_aborts_and_nothing_is_changed():
    cluster = ModelCluster(a_migration(approval="Required"))
    start(cluster)
    cluster.reconcile()
    cluster.annotate(APPROVE_ANNOTATION, cluster.status.plan.digest)
    abort(cluster)
    cluster.settle()
    assert (cluster.status.run.result, cluster.heads) == ("Aborted", {})
    assert cluster.status.last_handled_approve == cluster.status.plan.digest, "both are answered"
    assert cluster.status.last_handled_abort == "now"


def test_one_retries_while_another_aborts_and_the_run_that_was_asked_for_does_not_start():
    cluster = a_running_one()
    cluster.annotate(RETRY, "2")
    abort(cluster)
    cluster.settle()
    assert cluster.status.run.result == "Aborted"
    assert "audit" not in cluster.heads
    cluster.annotate(RETRY, "3")
    cluster.settle()
    assert cluster.status.run.result == "Succeeded"


def test_a_retry_starts_beside_an_abort_that_names_the_run_before():
    cluster = a_running_one()
    cluster.annotate(RETRY, "2")
    abort(cluster, f"{cluster.status.run.id}/now")
    cluster.settle()
    assert cluster.status.run.result == "Succeeded"
    assert [entry.result for entry in cluster.status.history] == ["Succeeded", "Superseded"]


def test_an_edit_and_an_approval_at_once_ask_again():
    cluster = ModelCluster(a_migration(approval="Required"))
    start(cluster)
    cluster.reconcile()
    cluster.annotate(APPROVE_ANNOTATION, cluster.status.plan.digest)
    cluster.edit(image="shop:2")
    cluster.settle()
    assert cluster.status.condition("Approved").status == "False"
    assert cluster.heads == {}


def test_an_operator_that_dies_between_the_stop_and_the_status_aborts_all_the_same():
    cluster = a_running_one()
    abort(cluster)
    cluster.reconcile(crash_after=1)
    cluster.settle()
    assert cluster.status.run.result == "Aborted"


def test_a_status_that_is_lost_while_it_aborts_lets_nothing_go_on():
    cluster = a_running_one()
    abort(cluster)
    cluster.reconcile()
    cluster.empty_status()
    cluster.settle()
    assert cluster.status.run.result == "Aborted"
    assert "audit" not in cluster.heads


def test_no_clock_is_asked():
    cluster = a_running_one()
    cluster.now -= timedelta(days=400)
    abort(cluster, "2020-01-01T00:00:00Z")
    cluster.settle()
    assert cluster.status.run.result == "Aborted"


def test_a_long_token_is_acknowledged_as_far_as_there_is_room():
    cluster = a_running_one()
    abort(cluster, "x" * 5000)
    cluster.settle()
    assert cluster.status.last_handled_abort == "x" * 1024
    cluster.annotate(RETRY, "2")
    cluster.settle()
    assert cluster.status.run.result == "Succeeded"


def test_a_status_in_which_all_is_done_without_a_plan_is_ended_by_it_too():
    resource = a_migration(annotations={ABORT_ANNOTATION: "now"})
    job = a_job(resource)
    status = Status(
        observed_generation=1,
        run=Run(job.run, job.identity, start_time=stamp(NOW)),
        databases=(DatabaseStatus("main", DatabasePhase.SUCCEEDED),),
    )
    told = replace(resource, status=status)
    while_it_plans = plan(Snapshot(NOW, told, (job,))).status.condition("Succeeded")
    assert (while_it_plans.status, while_it_plans.reason) == ("Unknown", "Aborting")
    written = plan(Snapshot(NOW, told)).status
    ended = written.condition("Succeeded")
    assert (ended.status, ended.reason) == ("False", "Aborted")
    assert plan(Snapshot(NOW, replace(told, status=written))).status == written, "the next look says the same"


def test_a_run_whose_status_is_lost_is_aborted_only_once_a_job_that_is_removed_is_gone():
    names = ("main", a_database("audit", after=["main"]))
    cluster = ModelCluster(a_migration(*names, plan="Never"))
    start(cluster)
    (audit,) = cluster.reconcile().starts
    run = cluster.status.run.id
    for job in list(cluster.jobs):
        if job != audit.name:
            cluster.remove(job)
    cluster.empty_status()
    abort(cluster, f"{run}/now")
    assert cluster.reconcile().actions == (DeleteJob(audit.name),)
    cluster.reconcile()
    assert cluster.status.database("audit").phase is DatabasePhase.PENDING
    assert cluster.status.run.completion_time is None
    cluster.remove(audit.name)
    cluster.reconcile()
    assert cluster.status.run.result == "Aborted"
    assert "failed" not in cluster.status.database("audit").message
