"""An approval is for one plan: what it lets pass, what voids it, and what a person reads meanwhile."""

from __future__ import annotations

from dataclasses import replace

from headway_contract.request import WhenAhead
from headway_contract.result import Plan
from headway_operator.api.migration import APPROVE_ANNOTATION, APPROVED_BY_ANNOTATION
from headway_operator.manifests.event import event_for
from headway_operator.planner.approval import approve_command
from headway_operator.planner.news import news
from headway_operator.planner.snapshot import Stage
from support.builders import a_database, a_migration, a_plan, a_result
from support.judges import argo, kstatus
from support.model import ModelCluster


def a_planned_one(**fields) -> ModelCluster:
    """Its plan is made, and waits."""
    cluster = ModelCluster(a_migration("main", "audit", **{"approval": "Required", **fields}))
    make_the_plan(cluster)
    return cluster


def make_the_plan(cluster: ModelCluster) -> None:
    (start,) = cluster.reconcile().starts
    assert start.stage is Stage.PLAN
    cluster.start_pod(start.name)
    cluster.finish(start.name)
    cluster.reconcile()


def digest_of(cluster: ModelCluster) -> str:
    return cluster.status.plan.digest


def approve(cluster: ModelCluster, digest: str = "") -> None:
    cluster.annotate(APPROVE_ANNOTATION, digest or digest_of(cluster))


def is_held(cluster: ModelCluster) -> bool:
    return cluster.reconcile().starts == () and cluster.status.condition("Approved").status == "False"


def test_a_plan_that_needs_an_approval_starts_nothing_and_waits_without_being_woken():
    cluster = a_planned_one()
    assert cluster.reconcile().wake_after is None
    assert is_held(cluster)
    assert cluster.status.phase == "Waiting"
    assert (kstatus(cluster.status, 1), argo(cluster.status, 1)) == ("InProgress", "Suspended")


def test_the_message_has_what_waits_and_the_command_to_type():
    cluster = a_planned_one()
    digest = digest_of(cluster)
    message = (
        "2 revisions wait for approval (main: 1, audit: 1). To approve it: "
        f"kubectl annotate dbmig shop -n shops headway.dev/approve={digest} --overwrite"
    )
    for kind in ("Ready", "Reconciling", "Approved"):
        assert cluster.status.condition(kind).message == message
    assert cluster.status.condition("Reconciling").reason == "WaitingForApproval"
    assert cluster.status.progress.message == message


def test_the_digest_lets_it_pass_and_who_approved_it_is_told():
    cluster = a_planned_one()
    cluster.annotate(APPROVED_BY_ANNOTATION, "alice@example.com")
    approve(cluster)
    assert [start.database for start in cluster.reconcile().starts] == ["main"]
    approved = cluster.status.condition("Approved")
    assert (approved.status, approved.reason) == ("True", "Approved")
    assert (
        approved.message == f"{digest_of(cluster)} was approved by alice@example.com at 2026-11-23T08:00:00Z"
    )
    assert cluster.status.last_handled_approve == digest_of(cluster)
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"
    assert cluster.status.condition("Approved").status == "True"


def test_a_digest_that_came_with_the_resource_lets_it_pass_at_once():
    digest = digest_of(a_planned_one())
    cluster = ModelCluster(
        a_migration("main", "audit", approval="Required", annotations={APPROVE_ANNOTATION: digest})
    )
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"


def test_the_digest_of_last_week_is_refused_with_both_digests_named():
    cluster = a_planned_one()
    approve(cluster, "sha256:1a57")
    assert is_held(cluster)
    message = cluster.status.condition("Ready").message
    assert "The approval that was given is for sha256:1a57, which is another plan" in message
    assert f"headway.dev/approve={digest_of(cluster)}" in message
    assert cluster.status.last_handled_approve == "sha256:1a57", "it is answered, too"


def test_the_beginning_of_the_digest_is_no_approval():
    cluster = a_planned_one()
    approve(cluster, digest_of(cluster)[:-1])
    assert is_held(cluster)


def test_a_whole_page_in_the_annotation_leaves_room_for_the_command():
    cluster = a_planned_one()
    approve(cluster, "x" * 100_000)
    cluster.reconcile()
    assert cluster.status.condition("Ready").message.endswith("--overwrite")


def test_the_command_is_whole_wherever_it_is_told_however_much_is_said_before_it():
    names = [f"tenant-{number:02}-of-the-whole-shop-in-the-north" for number in range(32)]
    cluster = ModelCluster(a_migration(*names, approval="Required"))
    before = cluster.status
    make_the_plan(cluster)
    message = cluster.status.condition("Ready").message
    command = approve_command(cluster.resource, digest_of(cluster))
    assert len(message) in (1023, 1024)
    (told,) = [one for one in news(before, cluster.status, 4, "shop") if one.reason == "WaitingForApproval"]
    event = event_for(told, cluster.resource, cluster.now)
    for text, most in ((message, 1100), (cluster.status.progress.message, 1100), (event["note"], 1024)):
        assert text.endswith(command)
        assert text.startswith("32 revisions wait for approval (tenant-00-of-the-whole-shop-in-the-north: 1")
        assert len(text.encode()) <= most


def test_whatever_changes_the_plan_voids_the_approval():
    changes = {
        "image": {"image": "registry.example.com/shop:2"},
        "target": {"target": "a1"},
        "databases": {"databases": (a_database("main"),)},
    }
    for name, change in changes.items():
        cluster = a_planned_one()
        approve(cluster)
        cluster.annotate("headway.dev/paused", "1")
        cluster.reconcile()
        cluster.annotate("headway.dev/paused", "")
        before = digest_of(cluster)
        cluster.edit(**change)
        make_the_plan(cluster)
        assert digest_of(cluster) != before, name
        assert is_held(cluster), name
        assert before in cluster.status.condition("Ready").message


def test_a_database_that_has_moved_meanwhile_voids_the_approval_with_the_next_plan():
    cluster = a_planned_one()
    before = digest_of(cluster)
    cluster.heads["main"] = cluster.resource.spec.image
    cluster.annotate("headway.dev/retry", "1")
    approve(cluster, before)
    make_the_plan(cluster)
    assert digest_of(cluster) != before
    assert is_held(cluster)


def test_a_retry_keeps_the_approval_of_the_same_plan():
    cluster = a_planned_one()
    approve(cluster)
    cluster.broken = {("main", cluster.resource.spec.image)}
    cluster.settle()
    assert cluster.status.condition("Ready").status == "False"
    cluster.broken.clear()
    cluster.annotate("headway.dev/retry", "1")
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"


def test_an_approval_can_be_taken_back_until_the_first_database_is_begun_and_not_after():
    cluster = a_planned_one()
    cluster.annotate("headway.dev/paused", "1")
    approve(cluster)
    cluster.reconcile()
    assert cluster.status.condition("Approved").status == "True"
    approve(cluster, "no")
    assert is_held(cluster)
    cluster.annotate("headway.dev/paused", "")
    approve(cluster)
    (start,) = cluster.reconcile().starts
    approve(cluster, "no")
    cluster.start_pod(start.name)
    assert cluster.reconcile().actions == ()
    assert cluster.status.condition("Approved").reason == "Approved", "that it was approved stays known"
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"


def test_an_approval_is_asked_for_before_the_first_change_only():
    cluster = ModelCluster(a_migration())
    make_the_plan(cluster)
    assert cluster.active
    cluster.edit(plan=a_migration(approval="Required").spec.plan)
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"


def test_nothing_to_do_needs_no_approval():
    cluster = ModelCluster(a_migration(approval="Required"))
    cluster.heads = {"main": cluster.resource.spec.image}
    cluster.settle()
    assert cluster.status.condition("Ready").reason == "NothingToDo"
    assert cluster.status.condition("Approved").reason == "NothingToDo"


def test_a_plan_that_needs_no_approval_says_so():
    cluster = ModelCluster()
    cluster.settle()
    approved = cluster.status.condition("Approved")
    assert (approved.status, approved.reason) == ("True", "NotRequired")


def test_a_status_that_was_emptied_asks_again_and_the_annotation_still_answers():
    cluster = a_planned_one()
    cluster.empty_status()
    cluster.reconcile()
    assert is_held(cluster)
    assert cluster.status.plan.digest
    approve(cluster)
    cluster.empty_status()
    assert [start.database for start in cluster.reconcile().starts] == ["main"]


def test_the_plan_of_a_job_that_the_status_never_heard_of_can_be_approved_too():
    cluster = ModelCluster(a_migration(approval="Required"))
    (start,) = cluster.reconcile(crash_after=1).starts
    cluster.start_pod(start.name)
    cluster.finish(start.name, a_result(plan=a_plan(main=["a1"])))
    assert is_held(cluster)
    assert cluster.status.run.id == start.run
    assert digest_of(cluster) in cluster.status.condition("Approved").message


def a_way_back(**fields) -> ModelCluster:
    """A plan that takes two revisions back, though approvals are automatic and no plan was asked for."""
    cluster = ModelCluster(
        a_migration(plan="Never", when_ahead=WhenAhead.DOWNGRADE, target="base0", **fields)
    )
    (start,) = cluster.reconcile().starts
    assert start.stage is Stage.PLAN
    cluster.start_pod(start.name)
    (down,) = a_plan(main=["a2", "a1"]).databases
    cluster.finish(start.name, a_result(plan=Plan((replace(down, downgrade=True),))))
    cluster.reconcile()
    return cluster


def test_taking_revisions_back_needs_an_approval_although_approvals_are_automatic():
    cluster = a_way_back()
    assert is_held(cluster)
    message = cluster.status.condition("Approved").message
    assert message.startswith(
        "2 revisions wait for approval (main: 2); taking revisions back always needs one (main). To approve it:"
    )
    assert cluster.status.condition("PlanReady").message == "2 revisions to take back"
    assert argo(cluster.status, 1) == "Suspended"
    approve(cluster)
    (start,) = cluster.reconcile().starts
    assert (start.stage, start.planned.downgrade) == (Stage.MIGRATE, True)
    cluster.start_pod(start.name)
    cluster.finish(start.name, a_result(to_revision=("base0",), applied_count=2))
    cluster.reconcile()
    assert cluster.status.database("main").message == "2 revisions taken back"
    ready = cluster.status.condition("Ready")
    assert (ready.status, ready.message) == ("True", "1 database at the target, 2 revisions taken back")


def test_a_plan_that_leads_up_needs_no_approval_where_a_way_back_would():
    cluster = ModelCluster(a_migration(when_ahead=WhenAhead.DOWNGRADE))
    make_the_plan(cluster)
    assert cluster.status.condition("Approved").reason == "NotRequired"
    assert len(cluster.active) == 1


def test_a_way_back_whose_plan_is_lost_is_not_gone_on_with():
    cluster = a_way_back()
    approve(cluster)
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.finish(start.name, a_result(failure="LockTimeout"))
    cluster.empty_status()
    cluster.remove(next(name for name, job in cluster.jobs.items() if job.stage is Stage.PLAN))
    assert cluster.reconcile().starts == ()
    assert cluster.status.database("main").reason == "PlanLost"
