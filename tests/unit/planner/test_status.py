"""What people and their tools read: conditions, progress, messages and events."""

from __future__ import annotations

from datetime import timedelta

import pytest

from headway_contract.result import Outcome
from headway_operator.api.reasons import reason_of
from headway_operator.planner.explain import LIMIT_CHARACTERS, explain
from headway_operator.planner.news import news
from headway_operator.planner.plan import plan
from headway_operator.planner.snapshot import JobProgress
from support.builders import a_job, a_migration, a_plan, a_result, a_snapshot, ended
from support.judges import argo, kstatus, kubectl_wait, objections, verdicts
from support.model import ModelCluster

WAITS = ("InProgress", "Progressing", False)
HELD = ("InProgress", "Suspended", False)
FAILED = ("Failed", "Degraded", False)
DONE = ("Current", "Healthy", True)


def fresh() -> ModelCluster:
    return ModelCluster()


def planning() -> ModelCluster:
    cluster = ModelCluster()
    cluster.reconcile()
    return cluster


def migrating() -> ModelCluster:
    cluster = ModelCluster(a_migration("main", "audit", plan="Never"))
    cluster.start_pod(cluster.reconcile().starts[0].name)
    cluster.reconcile()
    return cluster


def retrying() -> ModelCluster:
    cluster = migrating()
    (job,) = cluster.active
    cluster.finish(job.name, a_result(failure="LockTimeout"))
    cluster.reconcile()
    return cluster


def superseding() -> ModelCluster:
    cluster = migrating()
    cluster.edit(image="shop:2")
    cluster.reconcile()
    return cluster


def edited_and_not_yet_seen() -> ModelCluster:
    cluster = done()
    cluster.edit(image="shop:2")
    return cluster


def failed_edited_and_not_yet_seen() -> ModelCluster:
    cluster = failed()
    cluster.edit(image="shop:2")
    return cluster


def suspended() -> ModelCluster:
    cluster = ModelCluster(a_migration(suspend=True))
    cluster.reconcile()
    return cluster


def paused_while_migrating() -> ModelCluster:
    cluster = migrating()
    cluster.annotate("headway.dev/paused", "1")
    cluster.reconcile()
    return cluster


def waiting_for_approval() -> ModelCluster:
    cluster = ModelCluster(a_migration(approval="Required"))
    cluster.settle()
    return cluster


def aborting() -> ModelCluster:
    cluster = migrating()
    cluster.annotate("headway.dev/abort", "1")
    cluster.reconcile()
    return cluster


def aborted() -> ModelCluster:
    cluster = aborting()
    cluster.settle()
    return cluster


def aborted_and_retried() -> ModelCluster:
    cluster = aborted()
    cluster.annotate("headway.dev/retry", "1")
    cluster.reconcile()
    return cluster


def paused_when_done() -> ModelCluster:
    cluster = done()
    cluster.annotate("headway.dev/paused", "1")
    cluster.reconcile()
    return cluster


def aborted_when_done() -> ModelCluster:
    cluster = done()
    cluster.annotate("headway.dev/abort", "1")
    cluster.reconcile()
    return cluster


def unreadable() -> ModelCluster:
    cluster = ModelCluster(a_migration(problem="spec.image is missing"))
    cluster.reconcile()
    return cluster


def plan_failed() -> ModelCluster:
    cluster = ModelCluster(a_migration(retries=0))
    cluster.flakes = {"": 1}
    cluster.settle()
    return cluster


def failed() -> ModelCluster:
    cluster = ModelCluster()
    cluster.broken = {("main", cluster.resource.spec.image)}
    cluster.settle()
    return cluster


def done() -> ModelCluster:
    cluster = ModelCluster()
    cluster.settle()
    return cluster


def nothing_to_do() -> ModelCluster:
    cluster = ModelCluster()
    cluster.heads = {"main": cluster.resource.spec.image}
    cluster.settle()
    return cluster


STATES = {
    fresh: WAITS,
    planning: WAITS,
    migrating: WAITS,
    retrying: WAITS,
    superseding: WAITS,
    edited_and_not_yet_seen: WAITS,
    failed_edited_and_not_yet_seen: WAITS,
    suspended: HELD,
    paused_while_migrating: HELD,
    waiting_for_approval: HELD,
    aborting: WAITS,
    aborted: FAILED,
    aborted_and_retried: WAITS,
    paused_when_done: DONE,
    aborted_when_done: DONE,
    unreadable: FAILED,
    plan_failed: FAILED,
    failed: FAILED,
    done: DONE,
    nothing_to_do: DONE,
}
UNSEEN = (fresh, edited_and_not_yet_seen, failed_edited_and_not_yet_seen)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_the_judges_read_each_state_as_it_is_meant(state):
    cluster = state()
    assert verdicts(cluster.status, cluster.resource.generation) == STATES[state]


@pytest.mark.parametrize("state", [one for one in STATES if one not in UNSEEN], ids=lambda one: one.__name__)
def test_each_state_has_all_conditions_of_its_generation_in_one_status(state):
    cluster = state()
    assert list(objections(cluster.status, cluster.resource.generation)) == []


def test_a_resource_that_is_being_deleted_is_left_as_it_was():
    cluster = migrating()
    cluster.delete()
    cluster.reconcile()
    assert kstatus(cluster.status, cluster.resource.generation, deleting=True) == "Terminating"
    assert argo(cluster.status, cluster.resource.generation, deleting=True) == "Progressing"
    assert list(objections(cluster.status, cluster.resource.generation)) == []


def test_kubectl_wait_for_succeeded_returns_at_the_end_only():
    assert kubectl_wait(done().status, 1, "Succeeded")
    assert not kubectl_wait(migrating().status, 1, "Succeeded")


def test_a_transition_time_moves_only_with_the_condition():
    cluster = migrating()
    before = cluster.status.condition("Reconciling").last_transition_time
    cluster.now = cluster.now.replace(hour=9)
    cluster.settle()
    assert cluster.status.condition("PlanReady").last_transition_time == before
    assert cluster.status.condition("Reconciling").last_transition_time > before


def progressed(cluster: ModelCluster, done_: int, total: int, message: str = "") -> None:
    (job,) = cluster.active
    cluster.progress = {job.name: JobProgress(job.name, 1, (), "", done_, total, message)}
    cluster.reconcile()


def test_the_revisions_of_the_plan_are_shown_and_counted_through_all_attempts():
    resource = a_migration(finalizer=True)
    plan_job = ended(a_job(resource), a_result(plan=a_plan(main=["a1", "a2", "a3", "a4"])))
    status = plan(a_snapshot(resource, plan_job)).status
    assert [one.revision for one in status.database("main").pending] == ["a1", "a2", "a3", "a4"]
    assert status.progress.summary == "0/1 · 0%"
    cluster = ModelCluster(a_migration(finalizer=True, status=status))
    job = a_job(resource, "main")
    cluster.jobs = {plan_job.name: plan_job, job.name: job}
    progressed(cluster, 1, 4)
    assert cluster.status.progress.percent == 25
    cluster.jobs = {job.name: ended(job, a_result(failure="LockTimeout"))}
    cluster.now += cluster.reconcile().wake_after
    cluster.start_pod(cluster.reconcile().starts[0].name)
    progressed(cluster, 0, 3)
    assert cluster.status.database("main").revisions_done == 1
    progressed(cluster, 3, 3)
    assert cluster.status.progress.percent == 100


def test_the_percentage_is_over_all_databases_also_when_nothing_was_planned():
    cluster = migrating()
    progressed(cluster, 3, 3)
    assert cluster.status.progress.percent == 50


def test_the_percentage_never_goes_back_within_a_run():
    cluster = migrating()
    progressed(cluster, 2, 4)
    before = cluster.status.progress.percent
    progressed(cluster, 0, 9)
    assert cluster.status.progress.percent == before


def test_more_pending_revisions_than_the_list_holds_are_counted():
    resource = a_migration()
    revisions = [f"r{number:03}" for number in range(120)]
    job = ended(a_job(resource), a_result(plan=a_plan(main=revisions)))
    main = plan(a_snapshot(resource, job)).status.database("main")
    assert (len(main.pending), main.pending_count, main.revisions_total) == (50, 120, 120)


def test_progress_that_shows_nothing_new_changes_no_byte_of_the_status():
    cluster = migrating()
    progressed(cluster, 1, 4, "revision 2 of 4")
    before = cluster.status
    cluster.now = cluster.now.replace(minute=30)
    progressed(cluster, 1, 4, "revision 2 of 4")
    assert cluster.status == before
    assert cluster.status.condition("Ready").message == "main: revision 2 of 4"


def test_a_message_has_what_happened_why_and_what_to_do_next():
    text = explain(reason_of("AuthenticationFailed"), "password wrong", "shop")
    assert text.startswith(
        "The database refused the user or the password. password wrong. Correct the Secret"
    )
    assert "kubectl annotate dbmig shop headway.dev/retry" in text


def test_what_was_seen_of_a_failed_revision_says_it_alone():
    text = explain(reason_of("RevisionFailed"), "Revision a2 (add a status) failed: no such table", "shop")
    assert text.startswith("Revision a2 (add a status) failed: no such table. Correct the revision")


def test_an_operation_that_says_what_to_do_gets_no_second_advice():
    said = "Revision a2 failed: BackfillIncomplete: Put these rows right, and run the revision again."
    assert explain(reason_of("RevisionFailed"), said, "shop") == said


def test_a_long_message_keeps_its_next_step():
    text = explain(reason_of("RevisionFailed"), "x" * 5000, "shop")
    assert len(text) <= LIMIT_CHARACTERS
    assert text.endswith("revisions before it stay applied.")


def test_the_failed_database_is_named_first_and_the_others_after_it():
    cluster = ModelCluster(a_migration("main", "audit", on_failure="Continue"))
    cluster.broken = {(name, cluster.resource.spec.image) for name in ("main", "audit")}
    cluster.settle()
    message = cluster.status.condition("Ready").message
    assert message.startswith("main: A revision failed.")
    assert message.endswith("Failed too: audit.")


def test_a_database_that_was_ahead_or_done_says_so():
    message = nothing_to_do().status.condition("Ready").message
    assert message == "nothing to do, 1 database at the target already"
    ahead = migrating()
    (job,) = ahead.active
    ahead.finish(job.name, a_result(ahead=True, to_revision=("z9",)))
    ahead.heads["audit"] = ahead.resource.spec.image
    ahead.settle()
    message = ahead.status.condition("Ready").message
    assert message == "nothing to do; main: it is past what was asked for, which is accepted"


def heard(cluster: ModelCluster, rounds: int = 30) -> list[tuple[str, str]]:
    """Every event from here to the end, as reason and key."""
    told = []
    for _ in range(rounds):
        before = cluster.status
        decision = cluster.reconcile()
        told += [(one.reason, one.key) for one in news(before, cluster.status, 4, "shop")]
        if not cluster.active:
            cluster.now += decision.wake_after or timedelta()
        for job in cluster.active:
            cluster.start_pod(job.name)
            cluster.finish(job.name)
    return told


def test_each_thing_is_told_once_with_a_key_of_its_own():
    cluster = ModelCluster()
    cluster.flakes = {"main": 1}
    told = heard(cluster)
    assert [reason for reason, _ in told] == [
        "Planning",
        "JobStarted",
        "Migrating",
        "LockTimeout",
        "Retrying",
        "JobStarted",
        "Migrating",
        "DatabaseSucceeded",
        "Succeeded",
    ]
    assert len({key for _, key in told}) == len(told) - 1, "only Migrating comes twice"


def test_news_that_are_told_again_after_a_lost_status_have_the_same_keys():
    cluster = ModelCluster()
    told = set(heard(cluster))
    cluster.empty_status()
    assert set(heard(cluster)) <= told


def test_a_failure_is_a_warning_and_a_success_is_not():
    before = migrating().status
    assert [one.warning for one in news(before, failed().status, 4, "shop")] == [True, True]
    assert not any(one.warning for one in news(before, done().status, 4, "shop"))


def test_a_skipped_database_is_told():
    cluster = ModelCluster(a_migration("main", "audit"))
    cluster.broken = {("main", cluster.resource.spec.image)}
    assert ("DatabaseSkipped") in [reason for reason, _ in heard(cluster)]


def test_a_stopped_job_leaves_what_the_runner_saw_in_the_end():
    cluster = ModelCluster(a_migration("main"))
    (planning,) = cluster.reconcile().starts
    cluster.finish(planning.name, a_result(plan=a_plan(main=("m1", "m2", "m3"))))
    (start,) = cluster.reconcile().starts
    reached = a_result(Outcome.STOPPED, to_revision=("m1",), applied_count=1, pending_count=2)
    cluster.finish(start.name, reached)
    cluster.reconcile()
    main = cluster.status.database("main")
    assert (main.current_revision, main.revisions_done) == ("m1", 1)


def test_a_stopped_job_is_no_bad_news():
    cluster = migrating()
    before = cluster.status
    (job,) = cluster.active
    cluster.finish(job.name, a_result(Outcome.STOPPED))
    cluster.reconcile()
    assert not any(one.warning for one in news(before, cluster.status, 4, "shop"))
