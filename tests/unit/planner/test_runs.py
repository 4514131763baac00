"""When a run begins, goes on, is superseded, ends, and what a deletion does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from headway_operator.api.migration import FINALIZER, JobSettings, Locks, Strategy
from headway_operator.planner.actions import AddFinalizer, DeleteJob, RemoveFinalizer, StartJob, StopJob
from headway_operator.planner.plan import SAFETY, plan
from support.builders import a_database, a_job, a_migration, a_pod, a_snapshot
from support.model import ModelCluster


def a_running_one(**fields) -> ModelCluster:
    """Its only database's Job runs."""
    cluster = ModelCluster(a_migration(plan="Never", **fields))
    cluster.start_pod(cluster.reconcile().starts[0].name)
    return cluster


def settled(cluster: ModelCluster) -> str:
    """Its run, once all has come to rest."""
    cluster.settle()
    cluster.now += timedelta(minutes=1)
    assert cluster.status.run is not None
    return cluster.status.run.id


def test_the_finalizer_comes_before_the_first_job_that_migrates_and_goes_after_the_last():
    cluster = ModelCluster()
    first = cluster.reconcile()
    assert [type(action) for action in first.actions] == [StartJob], "a plan may be cut off by a delete"
    cluster.finish(first.starts[0].name)
    kinds = [type(action) for action in cluster.reconcile().actions]
    assert kinds == [AddFinalizer, StartJob]
    cluster.settle()
    assert FINALIZER not in cluster.resource.finalizers


def test_a_finished_resource_needs_nothing_more():
    cluster = ModelCluster()
    cluster.settle()
    decision = plan(cluster.snapshot())
    assert (decision.actions, decision.wake_after) == ((), None)
    assert decision.status == cluster.status


def test_an_edit_of_how_it_runs_runs_nothing():
    cluster = ModelCluster(a_migration("main", "audit"))
    run = settled(cluster)
    names = ("audit", a_database("main", after=["audit"]))
    cluster.edit(
        locks=Locks(timeout_seconds=9),
        strategy=Strategy(max_parallel=2),
        job=JobSettings(resources={"limits": {"cpu": "1"}}),
        databases=tuple(one if not isinstance(one, str) else a_database(one) for one in names),
        successful_runs_history_limit=1,
    )
    assert cluster.reconcile().starts == ()
    assert settled(cluster) == run
    assert cluster.status.observed_generation == cluster.resource.generation


def test_an_edit_of_how_it_runs_lets_the_running_job_go_on():
    cluster = a_running_one()
    cluster.edit(locks=Locks(timeout_seconds=9))
    assert cluster.reconcile().actions == ()
    assert cluster.status.condition("Reconciling").observed_generation == 2


def test_a_rollback_is_a_run_of_its_own():
    cluster = ModelCluster(a_migration(image="shop:1"))
    runs = []
    for image in ("shop:1", "shop:2", "shop:1"):
        if cluster.resource.spec.image != image:
            cluster.edit(image=image)
        runs.append(settled(cluster))
        assert cluster.heads == {"main": image}
    assert len(set(runs)) == 3
    assert [entry.run for entry in cluster.status.history] == runs[::-1]


def test_a_rollback_is_a_run_of_its_own_when_the_jobs_in_between_are_gone():
    cluster = ModelCluster(a_migration(image="shop:1"))
    first = settled(cluster)
    cluster.edit(image="shop:2")
    second = settled(cluster)
    for job in [job for job in cluster.jobs.values() if job.run == second]:
        cluster.remove(job.name)
    cluster.edit(image="shop:1")
    assert settled(cluster) not in (first, second)
    assert cluster.heads == {"main": "shop:1"}


def test_a_rollback_is_a_run_of_its_own_when_the_status_never_heard_of_the_run_in_between():
    cluster = ModelCluster(a_migration(image="shop:1", plan="Never"))
    first = settled(cluster)
    cluster.edit(image="shop:2")
    cluster.reconcile(crash_after=2)
    (job,) = cluster.active
    cluster.start_pod(job.name)
    cluster.finish(job.name)
    cluster.edit(image="shop:1")
    assert settled(cluster) != first
    assert cluster.heads == {"main": "shop:1"}


def test_a_run_whose_status_was_never_written_goes_on_after_an_edit_of_how_it_runs():
    cluster = ModelCluster(a_migration(plan="Never"))
    cluster.reconcile(crash_after=2)
    (job,) = cluster.active
    cluster.edit(locks=Locks(timeout_seconds=9))
    assert cluster.reconcile().actions == ()
    assert cluster.status.run.id == job.run


def test_a_new_specification_waits_until_the_job_of_the_old_one_has_stopped():
    cluster = a_running_one(image="shop:1")
    (job,) = cluster.active
    cluster.edit(image="shop:2")
    (stop,) = cluster.reconcile().actions
    assert isinstance(stop, StopJob)
    assert cluster.status.condition("Reconciling").reason == "Stopping"
    assert cluster.status.run.id == job.run
    assert cluster.reconcile().actions == ()
    cluster.finish(job.name)
    (start,) = cluster.reconcile().starts
    assert start.run == cluster.status.run.id != job.run
    (old,) = cluster.status.history
    assert (old.run, old.result, old.image) == (job.run, "Superseded", "shop:1")


def test_a_job_of_the_old_specification_that_has_not_started_is_removed_at_once():
    cluster = ModelCluster(a_migration(image="shop:1"))
    (start,) = cluster.reconcile().starts
    cluster.edit(image="shop:2")
    assert cluster.reconcile().actions == (DeleteJob(start.name),)


def test_an_edit_that_is_taken_back_before_it_began_goes_on_with_the_old_run():
    cluster = a_running_one(image="shop:1")
    run = cluster.status.run.id
    cluster.edit(image="shop:2")
    cluster.reconcile()
    cluster.edit(image="shop:1")
    assert settled(cluster) == run
    assert cluster.status.condition("Ready").status == "True"


def test_a_new_retry_token_is_a_new_run_and_answered_at_once():
    cluster = ModelCluster()
    cluster.broken = {("main", cluster.resource.spec.image)}
    run = settled(cluster)
    cluster.broken = set()
    cluster.annotate("headway.dev/retry", "1")
    cluster.reconcile()
    assert cluster.status.last_handled_retry == "1"
    assert cluster.status.condition("Stalled").status == "False"
    assert settled(cluster) != run


def test_the_same_retry_token_and_its_removal_are_no_new_run():
    cluster = ModelCluster()
    cluster.annotate("headway.dev/retry", "1")
    run = settled(cluster)
    cluster.annotate("headway.dev/retry", "")
    assert settled(cluster) == run
    cluster.annotate("headway.dev/retry", "1")
    assert settled(cluster) == run


def test_an_older_retry_token_is_a_new_run_too():
    cluster = ModelCluster()
    runs = []
    for token in ("1", "2", "1"):
        cluster.annotate("headway.dev/retry", token)
        runs.append(settled(cluster))
    assert len(set(runs)) == 3


def test_an_emptied_status_is_found_out_again_from_the_jobs():
    cluster = ModelCluster(a_migration("main", "audit"))
    cluster.settle()
    before = cluster.status
    cluster.empty_status()
    assert cluster.reconcile().starts == ()
    assert cluster.status.run.id == before.run.id
    assert [one.phase for one in cluster.status.databases] == [one.phase for one in before.databases]
    assert cluster.status.condition("Ready").status == "True"


def test_an_emptied_status_starts_no_second_job():
    cluster = a_running_one()
    cluster.empty_status()
    assert cluster.reconcile().actions == ()
    assert cluster.status.database("main").attempt == 1


def test_a_run_that_touched_a_database_needs_no_second_plan_when_status_and_plan_are_lost():
    cluster = ModelCluster()
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.finish(start.name)
    cluster.reconcile()
    cluster.remove(start.name)
    cluster.empty_status()
    assert cluster.reconcile().starts == ()
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"


def test_a_resource_that_never_ran_is_deleted_at_once():
    decision = plan(a_snapshot(a_migration(deleting=True)))
    assert (decision.actions, decision.wake_after) == ((), None)


def test_a_deletion_lets_the_job_stop_and_then_lets_go():
    cluster = a_running_one()
    cluster.delete()
    before = cluster.status
    decision = cluster.reconcile()
    assert [type(action) for action in decision.actions] == [StopJob]
    assert decision.wake_after == SAFETY
    assert cluster.status == before
    cluster.finish(cluster.active[0].name)
    assert cluster.reconcile().actions == (RemoveFinalizer(),)
    assert cluster.migration is None


def test_a_deletion_removes_a_job_that_has_not_started():
    resource = a_migration(deleting=True, finalizer=True)
    job = a_job(resource, pod=a_pod(started=False))
    assert plan(a_snapshot(resource, job)).actions == (DeleteJob(job.name),)


def test_a_deletion_starts_nothing():
    resource = a_migration(deleting=True, finalizer=True)
    assert plan(a_snapshot(resource)).starts == ()


def test_the_history_keeps_as_many_runs_of_each_kind_as_wanted_and_their_jobs():
    cluster = ModelCluster(a_migration(successful_runs_history_limit=1, failed_runs_history_limit=2))
    for number, image in enumerate(("a:1", "a:2", "a:3", "a:4", "a:5")):
        cluster.broken = {("main", "a:2"), ("main", "a:3")}
        cluster.edit(image=image)
        settled(cluster)
        assert len(cluster.status.history) == min(number + 1, 3)
    results = [(entry.image, entry.result) for entry in cluster.status.history]
    assert results == [("a:5", "Succeeded"), ("a:3", "Failed"), ("a:2", "Failed")]
    assert {job.run for job in cluster.jobs.values()} == {entry.run for entry in cluster.status.history}


def test_no_job_of_the_run_before_is_swept_away_while_the_new_one_is_held():
    cluster = ModelCluster(a_migration(successful_runs_history_limit=0))
    settled(cluster)
    cluster.edit(image="shop:2", suspend=True)
    assert cluster.reconcile().actions == ()


def test_a_second_look_at_a_job_that_is_on_its_way_out_does_nothing():
    resource = a_migration(finalizer=True)
    job = replace(a_job(resource, pod=None), deleting=True, run="old")
    decision = plan(a_snapshot(resource, job))
    assert decision.actions == ()
    assert decision.wake_after == SAFETY


def test_a_job_that_was_removed_while_held_makes_room_before_the_next_one_starts():
    cluster = ModelCluster(a_migration(plan="Never"))
    (start,) = cluster.reconcile().starts
    cluster.annotate("headway.dev/paused", "1")
    cluster.reconcile()
    cluster.annotate("headway.dev/paused", "")
    decision = cluster.reconcile()
    assert (decision.starts, decision.wake_after) == ((), SAFETY)
    assert cluster.status.database("main").phase == "Pending"
    cluster.remove(start.name)
    assert [one.attempt for one in cluster.reconcile().starts] == [2]


def test_a_plan_that_vanishes_while_held_counts_no_failure():
    cluster = ModelCluster(a_migration(retries=0))
    (start,) = cluster.reconcile().starts
    cluster.annotate("headway.dev/paused", "1")
    cluster.reconcile(crash_after=1)
    cluster.remove(start.name)
    cluster.reconcile()
    cluster.annotate("headway.dev/paused", "")
    cluster.settle()
    assert cluster.status.plan.failures == 0
    assert cluster.status.condition("Ready").status == "True"


def test_a_lost_status_asks_for_no_second_plan_when_the_first_can_no_longer_be_read():
    cluster = ModelCluster()
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.finish(start.name)
    cluster.reconcile()
    cluster.jobs[start.name] = replace(cluster.jobs[start.name], result=None, pod=None)
    cluster.empty_status()
    assert cluster.reconcile().starts == ()
    assert cluster.status.condition("PlanReady").reason == "NotPlanned"


def test_a_run_of_the_history_is_never_taken_up_again_whatever_its_jobs_say_of_the_time():
    cluster = ModelCluster(a_migration(image="shop:1"))
    first = settled(cluster)
    cluster.edit(image="shop:2")
    second = settled(cluster)
    ahead = cluster.now + timedelta(hours=1)
    for job in list(cluster.jobs.values()):
        if job.run == second:
            cluster.remove(job.name)
        else:
            cluster.jobs[job.name] = replace(job, created=ahead)
    cluster.edit(image="shop:1")
    assert settled(cluster) != first
    assert cluster.heads == {"main": "shop:1"}


def test_a_run_before_that_of_the_status_is_never_taken_up_again():
    """Nothing but the time of its Jobs tells that it was before: the history keeps no run here."""
    limits = {"successful_runs_history_limit": 0, "failed_runs_history_limit": 0}
    cluster = ModelCluster(a_migration(image="shop:1", **limits))
    first = settled(cluster)
    old = dict(cluster.jobs)
    cluster.edit(image="shop:2")
    settled(cluster)
    cluster.jobs = {name: replace(job, deleting=True) for name, job in old.items()}
    cluster.edit(image="shop:1")
    assert settled(cluster) != first
    assert cluster.heads == {"main": "shop:1"}


def test_a_job_on_its_way_out_after_all_patience_wakes_nobody_at_once():
    resource = a_migration(finalizer=True)
    pod = a_pod(started=False, waiting_reason="ImagePullBackOff", age=timedelta(hours=1))
    given_up = plan(a_snapshot(resource, a_job(resource, pod=pod)))
    resource = replace(resource, status=given_up.status)
    decision = plan(a_snapshot(resource, a_job(resource, pod=pod, deleting=True)))
    assert (decision.actions, decision.wake_after) == ((), SAFETY)


def test_a_run_that_the_status_never_heard_of_counts_also_within_the_same_second():
    cluster = ModelCluster(a_migration(image="shop:2", plan="Never"))
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.finish(start.name)
    cluster.edit(image="shop:1")
    cluster.reconcile(crash_after=1)
    (job,) = cluster.active
    cluster.start_pod(job.name)
    cluster.finish(job.name)
    cluster.edit(image="shop:2")
    cluster.settle()
    assert cluster.status.run.id not in (start.run, job.run)
    assert cluster.heads == {"main": "shop:2"}


def test_any_number_of_edits_within_a_second_are_runs_of_their_own():
    cluster = ModelCluster(a_migration(image="shop:2"))
    runs = set()
    for number in range(6):
        cluster.edit(image=f"shop:{number % 2}")
        (start,) = cluster.reconcile().starts
        runs.add(start.run)
        assert cluster.reconcile().actions == ()
        cluster.start_pod(start.name)
        cluster.finish(start.name)
    assert len(runs) == 6


def test_while_a_job_of_an_edit_taken_back_is_removed_the_status_says_the_same():
    """The edit lasted so short that only its Job tells of it, and all happened within one second."""
    cluster = ModelCluster(a_migration(image="shop:1"))
    cluster.finish(cluster.reconcile().starts[0].name)
    cluster.edit(image="shop:2")
    cluster.reconcile(crash_after=1)
    cluster.edit(image="shop:1")
    decision = cluster.reconcile()
    assert [type(action) for action in decision.actions] == [DeleteJob]
    assert plan(cluster.snapshot()).status == cluster.status
    cluster.settle()
    assert cluster.heads["main"] == "shop:1"
