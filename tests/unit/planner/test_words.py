"""What the status and the events say of attempts, and how they count what was applied."""

from headway_contract.result import Outcome
from headway_operator.api.status import DatabasePhase
from headway_operator.planner.news import news
from headway_operator.planner.snapshot import JobProgress
from support.builders import a_migration, a_plan, a_result, ended
from support.model import ModelCluster


def planned(*revisions, **spec):
    """A resource whose plan has found these revisions, and its cluster."""
    cluster = ModelCluster(a_migration(**spec))
    cluster.reconcile()
    (name,) = cluster.jobs
    cluster.start_pod(name)
    cluster.finish(name, a_result(plan=a_plan(main=list(revisions))))
    return cluster


def next_attempt(cluster):
    """Starts the next attempt; returns its Job and the events of that."""
    before = cluster.status
    decision = cluster.reconcile()
    if not decision.starts:
        cluster.now += decision.wake_after
        decision = cluster.reconcile()
    name = decision.starts[0].name
    told_at_once = cluster.status.database("main").message
    cluster.start_pod(name)
    cluster.reconcile()
    assert cluster.status.database("main").message == told_at_once
    attempts = cluster.resource.spec.retry.attempts
    return name, [one.message for one in news(before, cluster.status, attempts, "shop")]


def fail(cluster, name, failure="LockTimeout", **fields):
    """The Job ends with this failure; returns what its database says then."""
    cluster.finish(name, a_result(failure=failure, **fields))
    cluster.reconcile()
    return cluster.status.database("main")


def test_an_attempt_is_told_with_how_many_there_are():
    cluster = planned("a1")
    name, told = next_attempt(cluster)
    assert told[0] == f"main: Job {name} started"
    assert fail(cluster, name).message.endswith(" Attempt 1 of 4 failed.")
    name, told = next_attempt(cluster)
    assert f"main: Job {name} started, attempt 2 of 4" in told
    after = (
        "attempt 2 of 4, after: A table lock could not be had in time; nothing of the revision was applied."
    )
    assert cluster.status.database("main").message == after
    assert f"main: {after}" in cluster.status.condition("Ready").message


def test_what_an_attempt_does_is_told_after_which_it_is():
    cluster = planned("a1")
    fail(cluster, next_attempt(cluster)[0])
    name, _ = next_attempt(cluster)
    cluster.progress = {name: JobProgress(name, message="revision 1 of 1, a1")}
    cluster.reconcile()
    assert cluster.status.database("main").message == "attempt 2 of 4: revision 1 of 1, a1"


def test_a_limit_of_three_means_four_attempts_and_then_it_says_that_it_gave_up():
    cluster = planned("a1", retries=3)
    for number in (1, 2, 3):
        main = fail(cluster, next_attempt(cluster)[0])
        assert main.phase is DatabasePhase.WAITING
        assert main.message.endswith(f" Attempt {number} of 4 failed.")
    main = fail(cluster, next_attempt(cluster)[0])
    assert main.phase is DatabasePhase.FAILED
    assert main.message.endswith(" Given up after 4 attempts.")
    assert len([job for job in cluster.jobs.values() if job.database]) == 4


def test_a_failure_that_no_attempt_gets_over_speaks_of_none():
    cluster = planned("a1")
    assert "ttempt" not in fail(cluster, next_attempt(cluster)[0], "RevisionFailed").message


def test_an_attempt_that_was_stopped_is_not_counted():
    cluster = planned("a1")
    fail(cluster, next_attempt(cluster)[0])
    name, _ = next_attempt(cluster)
    cluster.finish(name, a_result(Outcome.STOPPED))
    next_attempt(cluster)
    assert cluster.status.database("main").attempt == 3
    assert cluster.status.database("main").message == "attempt 2 of 4"


def test_attempts_to_plan_are_told_too():
    cluster = ModelCluster(a_migration())
    cluster.flakes = {"": 1}
    cluster.reconcile()
    (name,) = cluster.jobs
    cluster.start_pod(name)
    cluster.finish(name)
    cluster.reconcile()
    assert cluster.status.plan.message.endswith(" Attempt 1 of 4 failed.")
    cluster.now += cluster.reconcile().wake_after
    cluster.start_pod(cluster.reconcile().starts[0].name)
    cluster.reconcile()
    after = (
        "attempt 2 of 4, after: A table lock could not be had in time; nothing of the revision was applied."
    )
    assert cluster.status.plan.message == after


def succeed(cluster, name, applied):
    cluster.finish(name, a_result(to_revision=("a3",), applied_count=applied))
    cluster.reconcile()
    return cluster.status


def test_revisions_that_another_run_applied_meanwhile_are_not_counted_as_ours():
    cluster = planned("a1", "a2", "a3")
    status = succeed(cluster, next_attempt(cluster)[0], applied=1)
    assert status.condition("Ready").message == "1 database at the target, 1 revision applied"
    main = status.database("main")
    assert main.message == "1 revision applied; 2 of the 3 planned were there by then"
    assert (main.revisions_done, main.revisions_total, status.progress.percent) == (1, 1, 100)


def test_where_another_run_applied_all_of_them_there_was_nothing_to_do():
    cluster = planned("a1", "a2", "a3")
    status = succeed(cluster, next_attempt(cluster)[0], applied=0)
    assert status.condition("Ready").message == "nothing to do, 1 database at the target already"
    assert status.progress.percent == 100


def test_what_all_attempts_applied_is_counted():
    cluster = planned("a1", "a2", "a3")
    fail(cluster, next_attempt(cluster)[0], to_revision=("a1",), applied_count=1, pending_count=2)
    status = succeed(cluster, next_attempt(cluster)[0], applied=2)
    assert status.condition("Ready").message == "1 database at the target, 3 revisions applied"
    assert status.database("main").message == "3 revisions applied"


def test_an_attempt_that_left_no_result_is_taken_to_have_applied_what_is_missing():
    cluster = planned("a1", "a2", "a3")
    name, _ = next_attempt(cluster)
    cluster.jobs[name] = ended(cluster.jobs[name])
    cluster.reconcile()
    status = succeed(cluster, next_attempt(cluster)[0], applied=1)
    assert status.condition("Ready").message == "1 database at the target, 3 revisions applied"
