"""Two events of one failure: what happened to the database, and what that means for the run."""

from __future__ import annotations

import pytest

from headway_operator.planner.news import news
from support.builders import a_database, a_migration, a_result
from support.model import ModelCluster

SHOP = "registry.example.com/shop:1"
AGAIN = "kubectl annotate dbmig shop headway.dev/retry=$(date +%s) --overwrite"


def told_by(cluster: ModelCluster, rounds: int = 12) -> list[tuple[str, str]]:
    """Every event from here on, as reason and message, while Jobs start and end."""
    told = []
    for _ in range(rounds):
        before = cluster.status
        cluster.reconcile()
        told += [(one.reason, one.message) for one in news(before, cluster.status, 4, "shop")]
        for job in cluster.active:
            cluster.start_pod(job.name)
            cluster.finish(job.name)
    return told


def of(reason: str, told: list[tuple[str, str]]) -> list[str]:
    return [message for one, message in told if one == reason]


def broken(*names: str, databases: tuple[str, ...] = ("audit", "main", "analytics"), **spec) -> ModelCluster:
    cluster = ModelCluster(a_migration(*databases, **spec))
    cluster.broken = {(name, SHOP) for name in names}
    return cluster


def test_the_first_says_what_happened_and_the_second_what_became_of_the_others_and_what_to_do():
    told = told_by(broken("main"))
    (what,), (meaning,) = of("RevisionFailed", told), of("RunFailed", told)
    assert what.startswith("main: A revision failed. ")
    assert "Correct the revision" in what
    assert meaning == (
        "The run has failed at main (RevisionFailed). Not started because of it: analytics. At the target: audit. "
        "Once that is mended, another specification (such as a new image) or this starts a run that goes on from "
        f"there: {AGAIN}"
    )


def test_no_event_of_a_failure_holds_what_another_says():
    told = told_by(broken("main"))
    messages = [message for _, message in told]
    for one in messages:
        assert [other for other in messages if one in other] == [one]


def test_of_a_run_that_goes_on_after_a_failure_all_that_failed_are_named_at_its_end():
    told = told_by(broken("audit", "main", on_failure="Continue"))
    assert len(of("RevisionFailed", told)) == 2
    (meaning,) = of("RunFailed", told)
    assert meaning.startswith(
        "The run has failed at audit (RevisionFailed), main (RevisionFailed). At the target: analytics. Once"
    )


def test_a_pause_between_two_attempts_says_when_the_next_one_starts_and_what_waits():
    cluster = ModelCluster(a_migration("main", "audit", plan="Never"))
    cluster.flakes = {"main": 2}
    told = told_by(cluster, rounds=3)
    (what,), (meaning,) = of("LockTimeout", told), of("Retrying", told)
    assert what.endswith(" Attempt 1 of 4 failed.")
    due = cluster.status.database("main").retry_time
    assert meaning == f"main: attempt 2 of 4 starts at {due}. Not started yet: audit."


def test_each_pause_is_an_event_of_its_own():
    cluster = ModelCluster(a_migration(plan="Never", retries=3))
    cluster.flakes = {"main": 2}
    keys = set()
    for _ in range(12):
        before = cluster.status
        decision = cluster.reconcile()
        keys |= {one.key for one in news(before, cluster.status, 4, "shop") if one.reason == "Retrying"}
        if not cluster.active and decision.wake_after:
            cluster.now += decision.wake_after
        for job in cluster.active:
            cluster.start_pod(job.name)
            cluster.finish(job.name)
    assert len(keys) == 2


def test_beside_a_database_that_waits_those_at_work_are_named():
    cluster = ModelCluster(a_migration("main", "audit", plan="Never", parallel=2))
    cluster.reconcile()
    main, audit = sorted(cluster.active, key=lambda job: job.database, reverse=True)
    cluster.start_pod(main.name)
    cluster.start_pod(audit.name)
    cluster.finish(main.name, a_result(failure="LockTimeout"))
    before = cluster.status
    cluster.reconcile()
    (meaning,) = of(
        "Retrying", [(one.reason, one.message) for one in news(before, cluster.status, 4, "shop")]
    )
    assert meaning.endswith(" At work meanwhile: audit.")


def test_a_plan_that_fails_is_one_event_with_what_happened():
    cluster = ModelCluster()
    before = cluster.status
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.finish(start.name, a_result(failure="UnknownTarget", database="main"))
    cluster.reconcile()
    warnings = [one for one in news(before, cluster.status, 4, "shop") if one.warning]
    assert [one.reason for one in warnings] == ["UnknownTarget"]
    assert "main: what the runner saw. Correct spec.target" in warnings[0].message


@pytest.mark.parametrize("problem", ["spec.databases is not a list"])
def test_a_specification_that_is_refused_after_a_failed_run_is_told_as_what_it_is(problem):
    cluster = broken("main", databases=("main",))
    cluster.settle()
    before = cluster.status
    cluster.migration = a_migration(
        a_database(), status=before, problem=problem, generation=cluster.resource.generation + 1
    )
    cluster.reconcile()
    told = [(one.reason, one.message) for one in news(before, cluster.status, 4, "shop")]
    assert of("RunFailed", told) == []
    assert problem in of("InvalidSpec", told)[0]
