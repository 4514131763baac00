"""Which database comes when, and what a failed one means for the others."""

from __future__ import annotations

import pytest

from headway_operator.api.migration import Strategy
from headway_operator.api.status import DatabasePhase
from headway_operator.planner.snapshot import Stage
from support.builders import a_database, a_migration
from support.model import ModelCluster

THREE = ("main", "analytics", "audit")


def planned(*names, **fields) -> ModelCluster:
    """The databases' turn: there is no plan to wait for."""
    return ModelCluster(a_migration(*names, plan="Never", **fields))


def started(cluster: ModelCluster) -> list[str]:
    return [start.database for start in cluster.reconcile().starts]


def end(cluster: ModelCluster, database: str) -> None:
    (name,) = [job.name for job in cluster.active if job.database == database]
    cluster.start_pod(name)
    cluster.finish(name)


def phases(cluster: ModelCluster) -> dict[str, str]:
    return {one.name: str(one.phase) for one in cluster.status.databases}


def test_one_after_the_other_in_the_order_of_the_list():
    cluster = planned(*THREE)
    for name in THREE:
        assert started(cluster) == [name]
        assert started(cluster) == []
        end(cluster, name)
    cluster.reconcile()
    assert cluster.status.condition("Ready").status == "True"


def test_no_more_at_once_than_allowed():
    cluster = planned(*THREE, parallel=2)
    assert started(cluster) == ["main", "analytics"]
    end(cluster, "analytics")
    assert started(cluster) == ["audit"]


def test_a_smaller_limit_holds_for_what_has_not_started():
    cluster = planned(*THREE, parallel=3)
    cluster.flakes = dict.fromkeys(THREE, 1)
    assert len(started(cluster)) == 3
    for name in THREE:
        end(cluster, name)
    cluster.edit(strategy=Strategy(max_parallel=1))
    cluster.now += cluster.reconcile().wake_after * 2
    assert started(cluster) == ["main"]


def test_a_database_waits_for_what_it_depends_on_and_lets_others_pass():
    cluster = planned("main", a_database("analytics", after=["main"]), "audit", parallel=2)
    assert started(cluster) == ["main", "audit"]
    end(cluster, "audit")
    assert started(cluster) == []
    end(cluster, "main")
    assert started(cluster) == ["analytics"]


def test_a_database_between_two_attempts_keeps_its_place():
    cluster = planned(*THREE)
    cluster.flakes = {"main": 1}
    cluster.reconcile()
    end(cluster, "main")
    assert started(cluster) == []
    assert phases(cluster) == {"main": "Waiting", "analytics": "Pending", "audit": "Pending"}


def test_stop_starts_no_further_database_and_says_which():
    cluster = planned(*THREE)
    cluster.broken = {("analytics", cluster.resource.spec.image)}
    cluster.settle()
    assert phases(cluster) == {"main": "Succeeded", "analytics": "Failed", "audit": "Skipped"}
    message = cluster.status.condition("Ready").message
    assert message.startswith("analytics: A revision failed.")
    assert message.endswith("Not started because of it: audit.")
    assert "onFailure: Stop" in cluster.status.database("audit").message


def test_stop_lets_a_job_end_that_runs_beside_the_failed_one():
    cluster = planned(*THREE, parallel=2)
    cluster.broken = {("main", cluster.resource.spec.image)}
    cluster.reconcile()
    end(cluster, "main")
    cluster.reconcile()
    assert phases(cluster) == {"main": "Failed", "analytics": "Migrating", "audit": "Skipped"}
    assert cluster.status.condition("Ready").status == "Unknown"
    cluster.settle()
    assert phases(cluster)["analytics"] == "Succeeded"


def test_continue_goes_on_with_what_does_not_depend_on_the_failed_one():
    names = ("main", a_database("analytics", after=["main"]), "audit")
    cluster = planned(*names, on_failure="Continue")
    cluster.broken = {("main", cluster.resource.spec.image)}
    cluster.settle()
    assert phases(cluster) == {"main": "Failed", "analytics": "Skipped", "audit": "Succeeded"}
    assert cluster.status.database("analytics").message == "not started: main failed"
    assert cluster.status.condition("Ready").status == "False"


@pytest.mark.parametrize("on_failure", ["Stop", "Continue"])
def test_a_plan_that_fails_touches_no_database(on_failure):
    cluster = ModelCluster(a_migration(*THREE, on_failure=on_failure, retries=0))
    cluster.flakes = {"": 1}
    cluster.settle()
    assert not [job for job in cluster.jobs.values() if job.stage is Stage.MIGRATE]
    assert cluster.status.condition("PlanReady").status == "False"
    assert cluster.status.condition("Ready").status == "False"
    assert {one.phase for one in cluster.status.databases} == {DatabasePhase.PENDING}


def test_all_databases_are_looked_at_before_the_first_is_touched():
    cluster = ModelCluster(a_migration(*THREE))
    (start,) = cluster.reconcile().starts
    assert (start.stage, start.database) == (Stage.PLAN, "")
    assert cluster.reconcile().starts == ()
    cluster.start_pod(start.name)
    cluster.finish(start.name)
    assert started(cluster) == ["main"]
    assert cluster.status.plan.revisions == 3


def test_without_a_plan_the_first_database_starts_at_once():
    cluster = planned(*THREE)
    assert started(cluster) == ["main"]
    assert cluster.status.condition("PlanReady").reason == "NotPlanned"


def test_when_nothing_is_pending_no_further_job_starts():
    cluster = ModelCluster(a_migration(*THREE))
    cluster.heads = dict.fromkeys(THREE, cluster.resource.spec.image)
    cluster.settle()
    assert [job.stage for job in cluster.jobs.values()] == [Stage.PLAN]
    assert cluster.status.condition("Succeeded").reason == "NothingToDo"
    assert cluster.status.progress.percent == 100


def test_only_databases_with_pending_revisions_get_a_job():
    cluster = ModelCluster(a_migration(*THREE))
    cluster.heads = {"main": cluster.resource.spec.image}
    cluster.settle()
    assert {job.database for job in cluster.jobs.values()} == {"", "analytics", "audit"}
