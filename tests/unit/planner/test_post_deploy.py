"""Before and after the gate: what runs when, what is said, and how others read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from headway_contract.result import DatabasePlan, Outcome, Plan
from headway_operator.api.migration import PostDeploy, Workload
from headway_operator.api.status import DatabasePhase, Stage
from headway_operator.controller.interest import is_at_rest
from headway_operator.planner.actions import StopJob
from headway_operator.planner.news import news
from headway_operator.planner.plan import plan
from headway_operator.planner.snapshot import JobProgress
from support.builders import a_database, a_migration, a_result
from support.judges import objections, verdicts
from support.model import ModelCluster

IMAGE = "registry.example.com/shop:1"
SHOP = Workload(deployment="shop")
WAITS = PostDeploy((SHOP,))
MIGRATING = ("InProgress", "Progressing", False)
OPEN = ("Current", "Healthy", True)


def a_cluster(*names: str, wait: bool = True, later: bool = True, **spec) -> ModelCluster:
    cluster = ModelCluster(a_migration(*names, post_deploy=WAITS if wait else PostDeploy(), **spec))
    cluster.later = {IMAGE, "shop:2", "shop:3"} if later else set()
    return cluster


def work(cluster: ModelCluster, rounds: int = 6) -> None:
    """Jobs that are there run to their end, and others may follow; nothing is waited for."""
    for _ in range(rounds):
        cluster.reconcile()
        for job in cluster.active:
            cluster.start_pod(job.name)
            cluster.finish(job.name)
    cluster.reconcile()


def a_waiting_cluster(*names: str, **options) -> ModelCluster:
    cluster = a_cluster(*names, **options)
    work(cluster)
    return cluster


def stages(cluster: ModelCluster) -> list[tuple[Stage, str]]:
    return [(job.stage, job.database) for job in cluster.jobs.values()]


def said(cluster: ModelCluster, kind: str) -> tuple[str, str, str]:
    condition = cluster.status.condition(kind)
    return condition.status, condition.reason, condition.message


def judged(cluster: ModelCluster):
    generation = cluster.resource.generation
    assert list(objections(cluster.status, generation)) == []
    return verdicts(cluster.status, generation)


@pytest.mark.parametrize("mode", ["Always", "Never"])
def test_the_rest_waits_until_the_application_is_rolled_out_and_then_runs_in_the_same_order(mode):
    cluster = a_waiting_cluster("main", "audit", plan=mode)
    first = [one for one in stages(cluster) if one[0] is not Stage.PLAN]
    assert first == [(Stage.MIGRATE, "main"), (Stage.MIGRATE, "audit")]
    assert said(cluster, "Ready")[:2] == ("True", "GateOpen")
    assert said(cluster, "Succeeded") == (
        "Unknown",
        "WaitingForRollout",
        "2 revisions waiting until the application is rolled out; Deployment shop: none of its containers has the "
        f"image {IMAGE} (they have shop:0)",
    )
    assert judged(cluster) == OPEN
    assert cluster.status.phase == "WaitingForRollout"
    assert [one.phase for one in cluster.status.databases] == [DatabasePhase.PENDING] * 2
    assert [one.message for one in cluster.status.databases] == [
        "1 revision applied; 1 waits until the application is rolled out"
    ] * 2
    assert not cluster.resource.has_finalizer
    cluster.roll_out()
    work(cluster)
    assert stages(cluster)[-2:] == [(Stage.POST_DEPLOY, "main"), (Stage.POST_DEPLOY, "audit")]
    assert said(cluster, "Succeeded") == (
        "True",
        "Succeeded",
        "2 databases at the target, 4 revisions applied",
    )
    assert cluster.status.progress.percent == 100
    assert judged(cluster) == OPEN


def test_without_anything_to_wait_for_the_rest_runs_once_the_gate_is_told_to_be_open():
    cluster = a_cluster(wait=False)
    work(cluster)
    assert cluster.status.run.result == "Succeeded"
    assert stages(cluster) == [(Stage.PLAN, ""), (Stage.MIGRATE, "main"), (Stage.POST_DEPLOY, "main")]


def test_a_database_of_which_everything_waits_gets_no_job_before_the_gate():
    cluster = a_cluster()
    cluster.heads["main"] = IMAGE
    work(cluster)
    assert stages(cluster) == [(Stage.PLAN, "")]
    assert said(cluster, "Ready")[0] == "True"
    assert cluster.status.database("main").message == "1 waits until the application is rolled out"
    cluster.roll_out()
    work(cluster)
    assert stages(cluster)[1:] == [(Stage.POST_DEPLOY, "main")]
    assert cluster.status.run.result == "Succeeded"


def test_the_gate_waits_for_every_database():
    cluster = a_cluster("main", "audit")
    work(cluster, rounds=2)
    assert cluster.status.database("main").stage is Stage.POST_DEPLOY
    assert cluster.status.database("audit").stage is Stage.MIGRATE
    assert judged(cluster) == MIGRATING


@pytest.mark.parametrize("on_failure", ["Stop", "Continue"])
def test_where_a_database_fails_before_the_gate_nothing_behind_it_runs(on_failure):
    cluster = a_cluster("main", "audit", on_failure=on_failure)
    cluster.broken = {("audit", IMAGE)}
    cluster.roll_out()
    cluster.settle()
    assert judged(cluster) == ("Failed", "Degraded", False)
    assert Stage.POST_DEPLOY not in [stage for stage, _ in stages(cluster)]
    main = cluster.status.database("main")
    assert main.phase is DatabasePhase.SKIPPED
    assert main.message.startswith("not continued: ")


def test_a_failure_behind_the_gate_leaves_it_open_and_is_told_with_a_warning():
    cluster = a_waiting_cluster("main", "audit")
    cluster.broken_later = {("main", IMAGE)}
    cluster.roll_out()
    before = cluster.status
    cluster.settle()
    assert judged(cluster) == OPEN
    assert said(cluster, "Ready")[:2] == ("True", "GateOpen")
    assert said(cluster, "Succeeded")[:2] == ("False", "RevisionFailed")
    assert said(cluster, "Succeeded")[2] in said(cluster, "Ready")[2]
    assert cluster.status.phase == "PostDeployFailed"
    assert cluster.status.run.result == "Failed"
    assert cluster.status.history[0].result == "Failed"
    told = [(one.reason, one.warning) for one in news(before, cluster.status, 4, "shop")]
    assert told.count(("RevisionFailed", True)) == told.count(("RunFailed", True)) == 1
    (meaning,) = [one.message for one in news(before, cluster.status, 4, "shop") if one.reason == "RunFailed"]
    assert meaning.startswith(
        "The run has failed at main (RevisionFailed). Not gone on with because of it: audit. "
    )
    assert " The application may roll out all the same. " in meaning
    assert cluster.status.database("audit").phase is DatabasePhase.SKIPPED


def test_a_retry_leads_out_of_a_failure_behind_the_gate_and_the_gate_stays_open_all_the_way():
    cluster = a_waiting_cluster()
    cluster.broken_later = {("main", IMAGE)}
    cluster.roll_out()
    cluster.settle()
    cluster.broken_later = set()
    cluster.annotate("headway.dev/retry", "1")
    for _ in range(6):
        cluster.reconcile()
        assert judged(cluster) == OPEN
        for job in cluster.active:
            cluster.start_pod(job.name)
            cluster.finish(job.name)
    cluster.settle()
    assert said(cluster, "Succeeded")[0] == "True"
    assert cluster.status.last_handled_retry == "1"


def test_attempts_behind_the_gate_are_counted_anew():
    cluster = a_cluster(retries=1)
    cluster.flakes = {"main": 1}
    cluster.roll_out()
    for _ in range(3):
        cluster.reconcile()
        for job in cluster.active:
            cluster.start_pod(job.name)
            cluster.finish(job.name)
        cluster.now += timedelta(seconds=60)
    work(cluster)
    assert cluster.status.run.result == "Succeeded"
    attempts = [(job.stage, job.attempt) for job in cluster.jobs.values() if job.database]
    assert attempts == [(Stage.MIGRATE, 1), (Stage.MIGRATE, 2), (Stage.POST_DEPLOY, 1)]


def test_a_pause_behind_the_gate_holds_the_rest_and_leaves_the_gate_open():
    cluster = a_waiting_cluster()
    cluster.roll_out()
    cluster.annotate("headway.dev/paused", "1")
    assert cluster.reconcile().starts == ()
    assert judged(cluster) == OPEN
    assert said(cluster, "Succeeded")[:2] == ("Unknown", "Paused")
    cluster.annotate("headway.dev/paused", "")
    work(cluster)
    assert cluster.status.run.result == "Succeeded"


def test_a_suspension_behind_the_gate_does_not_close_it():
    cluster = a_waiting_cluster()
    cluster.roll_out()
    cluster.edit(suspend=True)
    assert cluster.reconcile().starts == ()
    assert judged(cluster) == OPEN
    assert said(cluster, "Succeeded")[:2] == ("Unknown", "Suspended")


def test_a_newer_image_closes_the_gate_and_stops_the_job_behind_it_at_a_safe_point():
    cluster = a_waiting_cluster()
    cluster.roll_out()
    (start,) = cluster.reconcile().starts
    assert start.stage is Stage.POST_DEPLOY
    cluster.start_pod(start.name)
    cluster.edit(image="shop:2")
    decision = cluster.reconcile()
    assert [type(one) for one in decision.actions] == [StopJob]
    assert judged(cluster) == MIGRATING
    cluster.finish(start.name)
    work(cluster)
    assert cluster.heads["main"] == "shop:2"
    assert said(cluster, "Succeeded")[:2] == ("Unknown", "WaitingForRollout")
    assert cluster.status.history[0].result == "Superseded"


def test_a_release_that_comes_while_the_rest_waits_is_a_run_of_its_own():
    cluster = a_waiting_cluster()
    cluster.edit(image="shop:2")
    cluster.reconcile()
    assert judged(cluster) == MIGRATING
    work(cluster)
    assert judged(cluster) == OPEN
    assert cluster.rest == {}, "nothing was rolled out, so nothing behind the gate has run"


def test_a_rollback_of_the_application_while_the_rest_waits_is_ready_at_once():
    """The database knows revisions that the older image does not; whenAhead: Accept."""
    cluster = a_waiting_cluster()
    cluster.edit(image="shop:0")
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    ahead = a_result(plan=a_plan_ahead())
    cluster.finish(start.name, ahead)
    cluster.reconcile()
    assert judged(cluster) == OPEN
    assert said(cluster, "Succeeded")[:2] == ("True", "NothingToDo")
    assert cluster.active == []


def a_plan_ahead():
    return Plan(
        (DatabasePlan("main", current=("e1",), ahead=True, notices=("It is ahead. This is accepted.",)),)
    )


def test_what_is_waited_for_is_asked_again_and_the_resource_is_not_at_rest():
    cluster = a_waiting_cluster()
    assert not is_at_rest(cluster.resource, cluster.now)
    assert plan(cluster.snapshot()).wake_after == timedelta(seconds=5)


def test_a_status_that_is_lost_behind_the_gate_is_found_out_again_from_the_jobs():
    cluster = a_waiting_cluster("main", "audit", plan="Never")
    cluster.roll_out()
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.reconcile()
    known = [(one.name, one.stage, one.phase) for one in cluster.status.databases]
    cluster.empty_status()
    cluster.reconcile()
    assert [(one.name, one.stage, one.phase) for one in cluster.status.databases] == known
    assert judged(cluster) == OPEN


def test_the_news_say_what_is_ready_and_that_the_gate_is_open():
    cluster = a_cluster()
    cluster.reconcile()
    before = cluster.status
    work(cluster)
    told = [(one.reason, one.message) for one in news(before, cluster.status, 4, "shop")]
    assert ("DatabaseReady", "main: 1 revision applied; 1 waits until the application is rolled out") in told
    assert [message for reason, message in told if reason == "GateOpen"] == [said(cluster, "Ready")[2]]


def test_the_two_jobs_of_a_database_are_told_apart_in_their_events():
    cluster = a_cluster(wait=False)
    keys = []
    for _ in range(8):
        before = cluster.status
        cluster.reconcile()
        keys += [one.key for one in news(before, cluster.status, 4, "shop") if one.reason == "JobStarted"]
        for job in cluster.active:
            cluster.start_pod(job.name)
            cluster.finish(job.name)
    assert len(keys) == len(set(keys)) == 2


def test_a_job_that_is_stopped_behind_the_gate_goes_on_there():
    cluster = a_waiting_cluster()
    cluster.roll_out()
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.finish(start.name, a_result(Outcome.STOPPED))
    assert cluster.reconcile().wake_after < timedelta(seconds=1), "the rollout is looked at anew"
    (again,) = cluster.reconcile().starts
    assert (again.stage, again.attempt) == (Stage.POST_DEPLOY, 2)


def test_what_depends_on_another_database_waits_for_its_rest_too():
    cluster = a_cluster("main", a_database("audit", after=["main"]), parallel=2)
    work(cluster)
    assert said(cluster, "Ready")[0] == "True"
    cluster.roll_out()
    (start,) = cluster.reconcile().starts
    assert start.database == "main"


def test_what_depends_on_a_database_that_is_past_the_gate_goes_on_where_another_one_has_failed():
    last = a_database("audit", after=["main"])
    cluster = a_cluster("main", "analytics", last, on_failure="Continue")
    cluster.broken = {("analytics", IMAGE)}
    cluster.settle()
    phases = {one.name: one.phase for one in cluster.status.databases}
    assert phases["analytics"] is DatabasePhase.FAILED
    assert cluster.heads == {"main": IMAGE, "audit": IMAGE}
    assert phases["main"] is phases["audit"] is DatabasePhase.SKIPPED


def test_progress_counts_what_waits_as_not_done():
    cluster = a_cluster()
    (plan_job,) = cluster.reconcile().starts
    cluster.start_pod(plan_job.name)
    cluster.finish(plan_job.name)
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    for done in (0, 1):
        told = JobProgress(start.name, 1, revisions_done=done, revisions_total=1)
        cluster.progress = {start.name: told}
        cluster.reconcile()
        main = cluster.status.database("main")
        assert (main.revisions_done, main.revisions_total) == (done, 2)
    assert cluster.status.progress.percent == 50


def test_an_attempt_that_failed_before_the_gate_counts_what_it_did_and_not_what_waits():
    cluster = a_cluster()
    work(cluster, rounds=1)
    (start,) = cluster.active
    cluster.start_pod(start.name)
    lost = a_result(failure="LockTimeout", to_revision=("e1",), applied_count=1, pending_count=0)
    cluster.finish(start.name, replace(lost, post_deploy_count=1))
    cluster.reconcile()
    assert cluster.status.database("main").revisions_done == 1


def test_an_abort_behind_the_gate_stops_what_runs_and_leaves_it_open():
    cluster = a_waiting_cluster()
    cluster.roll_out()
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.annotate("headway.dev/abort", "1")
    assert [type(one) for one in cluster.reconcile().actions] == [StopJob]
    assert judged(cluster) == OPEN
    cluster.finish(start.name, a_result(Outcome.STOPPED, post_deploy_count=0, pending_count=1))
    cluster.settle()
    assert judged(cluster) == OPEN
    assert said(cluster, "Succeeded")[:2] == ("False", "Aborted")


def test_a_plan_of_which_everything_waits_opens_the_gate_and_still_needs_its_approval():
    cluster = a_cluster(wait=False, approval="Required")
    cluster.heads["main"] = IMAGE
    work(cluster)
    assert judged(cluster) == OPEN
    assert said(cluster, "Succeeded")[:2] == ("Unknown", "WaitingForApproval")
    assert stages(cluster) == [(Stage.PLAN, "")]
    cluster.annotate("headway.dev/approve", cluster.status.plan.digest)
    work(cluster)
    assert cluster.status.run.result == "Succeeded"


def test_a_pause_reaches_a_job_that_runs_behind_the_gate():
    cluster = a_waiting_cluster()
    cluster.roll_out()
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.annotate("headway.dev/paused", "1")
    (told,) = cluster.reconcile().actions
    assert (told.name, bool(told.control.pause)) == (start.name, True)
    assert judged(cluster) == OPEN
