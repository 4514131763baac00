"""What a failed run has committed of a revision is told again by each that fails there, until one gets past it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.result import Failure
from headway_operator.api.migration import RETRY_ANNOTATION
from headway_operator.planner.half_done import CHARACTERS
from support.builders import a_migration, a_plan, a_result
from support.model import ModelCluster

LEFT = "Revision a2 failed: no such type. Committed before that and still there: CREATE TABLE orders."


def fail(
    cluster,
    name="RevisionFailed",
    message="Revision a2 failed: the table orders exists already.",
    revision="a2",
):
    """The run comes to its Job, and that ends so."""
    cluster.reconcile()
    (job,) = cluster.active
    if not job.database:
        cluster.start_pod(job.name)
        cluster.finish(job.name, a_result(plan=a_plan(main=["a2", "a3"])))
        cluster.reconcile()
        (job,) = cluster.active
    cluster.start_pod(job.name)
    failed = a_result(failure=name)
    cluster.finish(job.name, replace(failed, failure=Failure(name, message, revision), to_revision=("a1",)))
    cluster.reconcile()
    return cluster.status.database("main")


def again(cluster, token):
    cluster.annotate(RETRY_ANNOTATION, token)


@pytest.fixture
def cluster():
    found = ModelCluster(a_migration())
    fail(found, "PartiallyApplied", LEFT)
    return found


def test_a_second_failure_there_tells_what_was_committed_before(cluster):
    first = cluster.status.run.id
    again(cluster, "1")
    main = fail(cluster)
    assert "the table orders exists already." in main.message
    assert main.message.endswith(f"A part of this revision was committed before, by run {first}: {LEFT}")
    assert LEFT in cluster.status.condition("Ready").message
    again(cluster, "2")
    assert LEFT in fail(cluster).message


def test_it_is_remembered_over_a_run_that_never_got_there(cluster):
    again(cluster, "1")
    main = fail(cluster, "PermissionDenied", "may not", "")
    assert LEFT not in main.message
    again(cluster, "2")
    assert LEFT in fail(cluster).message


def test_what_a_later_run_commits_of_it_is_told_beside_the_first(cluster):
    again(cluster, "1")
    fail(
        cluster,
        "PartiallyApplied",
        "Revision a2 failed. Committed before that and still there: CREATE TABLE items.",
    )
    again(cluster, "2")
    message = fail(cluster).message
    assert "CREATE TABLE orders" in message
    assert "CREATE TABLE items" in message


def test_it_is_forgotten_once_a_run_has_got_past_it(cluster):
    again(cluster, "1")
    applied = fail(cluster, message="Revision a3 failed: no.", revision="a3")
    assert LEFT not in applied.message
    cluster.settle()
    again(cluster, "2")
    cluster.reconcile()
    (job,) = cluster.active
    cluster.start_pod(job.name)
    cluster.finish(job.name, a_result(plan=a_plan(main=["a3"])))
    cluster.reconcile()
    assert cluster.status.database("main").half_done is None


@pytest.mark.parametrize("mode", ["Always", "Never"])
def test_a_success_forgets_it_also_where_nothing_is_planned(mode):
    cluster = ModelCluster(a_migration(plan=mode))
    fail(cluster, "PartiallyApplied", LEFT)
    again(cluster, "1")
    assert LEFT in fail(cluster).message
    again(cluster, "2")
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"
    assert cluster.status.database("main").half_done is None


def test_however_often_it_fails_what_is_remembered_stays_short(cluster):
    for number in range(9):
        again(cluster, str(number))
        fail(cluster, "PartiallyApplied", "Revision a2 failed: " + "x" * 700)
    assert len(cluster.status.database("main").half_done.message) <= CHARACTERS
    assert len(cluster.status.database("main").message) < 4096
