"""A new specification that is held: what is shown of the run before it is at work only as long as a Job is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headway_contract.result import Failure, Outcome
from headway_operator.api.migration import PAUSED_ANNOTATION, RETRY_ANNOTATION, Spec
from headway_operator.api.status import DatabasePhase
from headway_operator.planner.attempts import STOPPED
from headway_operator.planner.explain import moment
from headway_operator.planner.plan import plan
from headway_operator.planner.run_before import IS_DONE
from headway_operator.planner.snapshot import BackfillProgress, JobProgress, JobState, StrayPod
from support.builders import a_migration, a_result
from support.model import ModelCluster

NOTICE = "It stopped in the backfill of users.status at 42%. It goes on from there."
STOPPED_THERE = a_result(
    Outcome.STOPPED, database="main", to_revision=("a1",), applied_count=1, pending_count=1, notice=NOTICE
)


PARTLY = replace(
    a_result(failure="PartiallyApplied"),
    failure=Failure("PartiallyApplied", "Revision a2 failed. Still there: CREATE TABLE orders.", "a2"),
)


def filling(**spec: Any) -> tuple[ModelCluster, str]:
    """A Job is in a backfill, and is held there."""
    cluster = ModelCluster(a_migration(plan="Never", **spec))
    (start,) = cluster.reconcile().starts
    return cluster, held_in_a_backfill(cluster, start.name)


def held_in_a_backfill(cluster: ModelCluster, job: str) -> str:
    cluster.start_pod(job)
    backfill = BackfillProgress("fill", "users", "status", 42, 100, 42.0, throttled_by="paused: it is")
    cluster.progress[job] = JobProgress(job, current=("a1",), backfill=backfill)
    cluster.annotate(PAUSED_ANNOTATION, "1")
    cluster.reconcile()
    assert cluster.status.database("main").phase is DatabasePhase.BACKFILLING
    return job


def replaced(how: str) -> tuple[ModelCluster, str]:
    """Its specification is replaced by one that is held, and its Job is told to stop."""
    cluster, job = filling()
    replace_by(cluster, how)
    assert cluster.jobs[job].pod.control.stop
    return cluster, job


def replace_by(cluster: ModelCluster, how: str) -> None:
    if how == "an unreadable one":
        cluster.migration = replace(
            cluster.resource, spec=None, problem="spec.image is missing", generation=2
        )
    else:
        cluster.edit(image="shop:2", suspend=how == "a suspended one")
    cluster.reconcile()


def take_back(cluster: ModelCluster, spec: Spec) -> None:
    """The specification is as it was, and nothing holds it."""
    cluster.annotate(PAUSED_ANNOTATION, "")
    generation = cluster.resource.generation + 1
    cluster.migration = replace(cluster.resource, spec=spec, problem="", generation=generation)


@pytest.mark.parametrize("how", ["a paused one", "a suspended one", "an unreadable one"])
def test_nothing_is_at_work_once_its_job_has_stopped(how):
    cluster, job = replaced(how)
    assert cluster.status.database("main").phase is DatabasePhase.BACKFILLING, "it still runs"
    cluster.finish(job, STOPPED_THERE)
    cluster.reconcile()
    main = cluster.status.database("main")
    assert (main.phase, main.backfill) == (DatabasePhase.PENDING, None)
    assert main.message == f"{STOPPED}. {NOTICE}"
    assert main.current_revision == "a1"
    progress = cluster.status.progress
    assert (progress.job_name, "backfill" in progress.summary) == ("", False)
    assert cluster.status.condition("BackfillComplete").status == "Unknown"
    assert cluster.reconcile().status == cluster.status


def test_nor_once_its_job_is_gone():
    cluster, job = replaced("a paused one")
    cluster.remove(job)
    cluster.reconcile()
    main = cluster.status.database("main")
    assert (main.phase, main.backfill, main.message) == (DatabasePhase.PENDING, None, STOPPED)


def test_a_database_is_at_work_while_a_pod_that_was_left_behind_may_be():
    cluster, job = replaced("a paused one")
    cluster.remove(job)
    strays = (StrayPod(f"{job}-x", "node-1", "main"),)
    main = plan(replace(cluster.snapshot(), strays=strays)).status.database("main")
    assert main.phase is DatabasePhase.BACKFILLING


def test_a_job_that_ran_out_of_time_during_the_pause_has_stopped_too():
    cluster, job = replaced("a paused one")
    gone = replace(cluster.jobs[job], state=JobState.FAILED, reason="DeadlineExceeded", pod=None)
    cluster.jobs[job] = gone
    cluster.reconcile()
    main = cluster.status.database("main")
    assert (main.phase, main.failures, main.message) == (DatabasePhase.PENDING, 0, STOPPED)


def test_a_job_that_fails_on_the_way_is_told_of_and_counts_when_the_change_is_taken_back():
    cluster, job = replaced("a paused one")
    first = cluster.images[job]
    cluster.finish(job, a_result(failure="PartiallyApplied", message="an index was made"))
    cluster.reconcile()
    main = cluster.status.database("main")
    assert (main.phase, main.reason, main.backfill) == (DatabasePhase.PENDING, "PartiallyApplied", None)
    assert "an index was made" in main.message
    cluster.edit(image=first)
    cluster.reconcile()
    assert cluster.status.database("main").failures == 1


@pytest.mark.parametrize("limit", [0, 3])
@pytest.mark.parametrize("how", ["a paused one", "a suspended one", "an unreadable one"])
def test_a_failure_for_good_is_one_when_the_change_is_taken_back(how, limit):
    cluster, job = filling(retries=limit)
    first = cluster.resource.spec
    replace_by(cluster, how)
    cluster.finish(job, PARTLY)
    cluster.reconcile()
    take_back(cluster, first)
    assert not cluster.reconcile().starts
    assert not cluster.reconcile().starts
    main = cluster.status.database("main")
    assert (main.phase, main.attempt, main.failures) == (DatabasePhase.FAILED, 1, 1)
    assert "Undo the part by hand" in cluster.status.condition("Ready").message
    assert cluster.status.run.result == "Failed"


def test_it_is_one_also_once_its_job_is_gone():
    cluster, job = filling()
    first = cluster.resource.spec
    replace_by(cluster, "a paused one")
    cluster.finish(job, PARTLY)
    cluster.reconcile()
    cluster.remove(job)
    cluster.reconcile()
    take_back(cluster, first)
    assert not cluster.reconcile().starts
    main = cluster.status.database("main")
    assert (main.phase, main.reason) == (DatabasePhase.FAILED, "PartiallyApplied")
    assert "CREATE TABLE orders" in main.message


def test_a_failure_that_another_attempt_may_get_over_has_its_pause_when_the_change_is_taken_back():
    cluster, job = filling(retries=1)
    first = cluster.resource.spec
    replace_by(cluster, "a suspended one")
    cluster.finish(job, a_result(failure="DatabaseUnreachable", message="connection refused"))
    cluster.reconcile()
    assert cluster.status.database("main").phase is DatabasePhase.PENDING
    take_back(cluster, first)
    decision = cluster.reconcile()
    main = cluster.status.database("main")
    assert (main.phase, main.failures, decision.starts) == (DatabasePhase.WAITING, 1, ())
    assert main.message.endswith("Attempt 1 of 2 failed.")
    cluster.now = moment(main.retry_time)
    (second,) = cluster.reconcile().starts
    assert second.attempt == 2


def test_what_was_left_half_done_is_told_once_however_often_its_job_is_read():
    cluster, job = filling()
    first = cluster.resource.spec
    replace_by(cluster, "a paused one")
    cluster.finish(job, PARTLY)
    cluster.reconcile()
    left = cluster.status.database("main").half_done
    take_back(cluster, first)
    cluster.reconcile()
    main = cluster.status.database("main")
    assert main.half_done == left
    assert main.message.count("CREATE TABLE orders") == 1
    cluster.annotate(RETRY_ANNOTATION, "1")
    (start,) = cluster.reconcile().starts
    again = held_in_a_backfill(cluster, start.name)
    replace_by(cluster, "a paused one")
    items = replace(PARTLY.failure, message="Revision a2 failed. Still there: CREATE TABLE items.")
    cluster.finish(again, replace(PARTLY, failure=items))
    cluster.reconcile()
    take_back(cluster, first)
    cluster.reconcile()
    main = cluster.status.database("main")
    for table in ("orders", "items"):
        assert main.half_done.message.count(f"CREATE TABLE {table}") == 1
        assert main.message.count(f"CREATE TABLE {table}") == 1


def test_a_job_that_reaches_its_target_on_the_way_is_not_said_to_have_stopped():
    cluster, job = replaced("a paused one")
    first = cluster.images[job]
    cluster.finish(job, a_result(database="main", to_revision=("a2",), applied_count=2))
    cluster.reconcile()
    main = cluster.status.database("main")
    assert (main.phase, main.message) == (DatabasePhase.PENDING, IS_DONE)
    cluster.edit(image=first)
    cluster.reconcile()
    assert cluster.status.database("main").phase is DatabasePhase.SUCCEEDED


def test_a_run_that_is_over_stays_as_it_ended():
    cluster = ModelCluster(a_migration(plan="Never"))
    cluster.settle()
    cluster.edit(image="shop:2", suspend=True)
    before = cluster.status.databases
    cluster.reconcile()
    assert cluster.status.databases == before


def test_a_held_specification_ends_where_one_does_that_was_never_held():
    cluster, job = replaced("a suspended one")
    cluster.finish(job, STOPPED_THERE)
    cluster.reconcile()
    cluster.annotate(PAUSED_ANNOTATION, "")
    cluster.edit(suspend=False)
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"
    assert cluster.heads == {"main": "shop:2"}
