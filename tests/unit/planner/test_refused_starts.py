"""What is said of a run of which the cluster would not have a Job: it is over for none of the others."""

from __future__ import annotations

from headway_operator.planner.plan import plan
from headway_operator.planner.snapshot import RefusedStart, StrayPod
from support.builders import a_job, a_migration, a_pod, a_snapshot


def told(snapshot, database):
    """Status and reason of ``Stalled``, when the Job of this database is refused."""
    start = next(one for one in plan(snapshot).starts if one.database == database)
    refused = (RefusedStart(start.name, database, "JobRefused", "exceeded quota"),)
    snapshot = a_snapshot(snapshot.migration, *snapshot.jobs, refused=refused, strays=snapshot.strays)
    stalled = plan(snapshot).status.condition("Stalled")
    return stalled.status, stalled.reason


def test_it_comes_before_what_keeps_the_pod_of_another_from_starting():
    resource = a_migration("main", "audit", plan="Never", parallel=2)
    pod = a_pod("main", started=False, waiting_reason="ImagePullBackOff")
    assert told(a_snapshot(resource, a_job(resource, "main", pod=pod)), "audit") == ("False", "JobRefused")


def test_it_is_no_failure_while_a_pod_that_was_left_behind_may_still_work():
    resource = a_migration("main", "audit", plan="Never", parallel=2)
    strays = (StrayPod("shop-main-1-x", "node-1", "main"),)
    assert told(a_snapshot(resource, strays=strays), "audit") == ("False", "JobRefused")
    assert told(a_snapshot(resource), "audit") == ("False", "JobRefused"), "main is just starting"
    alone = a_migration("audit", plan="Never")
    assert told(a_snapshot(alone), "audit") == ("True", "JobRefused")
