"""What a plan showed goes with every Job that carries it out, also after the operator has forgotten all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from headway_contract.planned import Planned
from headway_operator.api.status import DatabasePhase
from headway_operator.planner.snapshot import Stage
from support.builders import a_database, a_migration, a_plan, a_result
from support.model import ModelCluster


def planned_one(target: str = "heads", **fields) -> tuple[ModelCluster, Planned]:
    """A run whose plan is made; and what the plan showed of its database."""
    cluster = ModelCluster(a_migration(a_database("main", target=target), **fields))
    (start,) = cluster.reconcile().starts
    assert start.stage is Stage.PLAN
    plan = a_plan(main=["a1", "a2"])
    cluster.start_pod(start.name)
    cluster.finish(start.name, a_result(plan=plan))
    assert plan.databases[0].planned is not None
    return cluster, plan.databases[0].planned


def the_start(cluster: ModelCluster):
    (start,) = cluster.reconcile().starts
    return start


def fail(cluster: ModelCluster, failure: str = "LockTimeout") -> None:
    (job,) = cluster.active
    cluster.start_pod(job.name)
    cluster.finish(job.name, a_result(failure=failure))
    cluster.reconcile()
    cluster.now += timedelta(minutes=10)


def forget(cluster: ModelCluster) -> None:
    """The status is emptied; who looks again finds the failed Job, and waits as after a failure of now."""
    cluster.empty_status()
    cluster.reconcile()
    cluster.now += timedelta(minutes=10)


@pytest.mark.parametrize("target", ["heads", "+2"])
def test_every_attempt_is_held_to_the_one_plan(target):
    cluster, planned = planned_one(target)
    for attempt in (1, 2):
        start = the_start(cluster)
        assert (start.stage, start.attempt, start.planned) == (Stage.MIGRATE, attempt, planned)
        fail(cluster)


def test_an_emptied_status_finds_the_plan_again_in_its_job():
    cluster, planned = planned_one("+2")
    the_start(cluster)
    fail(cluster)
    forget(cluster)
    start = the_start(cluster)
    assert (start.stage, start.attempt, start.planned) == (Stage.MIGRATE, 2, planned)


def test_a_relative_target_is_planned_even_where_no_plan_is_wished():
    cluster, planned = planned_one("+2", plan="Never")
    assert the_start(cluster).planned == planned


def test_no_plan_is_made_where_none_is_wished_and_the_target_is_no_relative_one():
    cluster = ModelCluster(a_migration(plan="Never"))
    start = the_start(cluster)
    assert (start.stage, start.planned) == (Stage.MIGRATE, None)


@pytest.mark.parametrize("target", ["+2", "shop@+1"])
def test_a_relative_target_whose_plan_is_lost_is_not_counted_anew(target):
    cluster, _ = planned_one(target)
    the_start(cluster)
    fail(cluster)
    cluster.empty_status()
    cluster.remove(next(job.name for job in cluster.jobs.values() if job.stage is Stage.PLAN))
    for _ in range(3):
        assert cluster.reconcile().starts == ()
        cluster.now += timedelta(minutes=10)
    database = cluster.status.database("main")
    assert (database.phase, database.reason) == (DatabasePhase.FAILED, "PlanLost")
    assert "Name the revision" in database.message


def test_any_other_target_goes_on_without_the_lost_plan():
    cluster, _ = planned_one()
    the_start(cluster)
    fail(cluster)
    cluster.remove(next(job.name for job in cluster.jobs.values() if job.stage is Stage.PLAN))
    forget(cluster)
    start = the_start(cluster)
    assert (start.attempt, start.planned) == (2, None)


def test_a_changed_plan_is_not_tried_again_by_itself():
    cluster, _ = planned_one()
    the_start(cluster)
    fail(cluster, "PlanChanged")
    assert cluster.reconcile().starts == ()
    assert cluster.status.database("main").phase is DatabasePhase.FAILED
    cluster.annotate("headway.dev/retry", "1")
    assert the_start(cluster).stage is Stage.PLAN
