"""What a command to a resource of a cluster writes, when it is answered, and when it is refused. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_cli import commands
from headway_cli.commands import Refused
from headway_operator.api.status import Run, Status
from support.builders import a_migration
from support.model import ModelCluster

WAITING = ModelCluster(a_migration("main", "audit", approval="Required"))
WAITING.settle()
DONE = ModelCluster()
DONE.settle()


def obeyed(cluster: ModelCluster, command: commands.Command) -> bool:
    """Whether the operator's next look answers it."""
    assert not command.is_answered(cluster.status), "before it is even written"
    for name, value in command.annotations.items():
        cluster.annotate(name, value or "")
    cluster.reconcile()
    return command.is_answered(cluster.status)


def a_running_one() -> ModelCluster:
    cluster = ModelCluster(a_migration(plan="Never"))
    cluster.start_pod(cluster.reconcile().starts[0].name)
    cluster.reconcile()
    return cluster


@pytest.mark.parametrize("give", [commands.pause, commands.abort, commands.retry, commands.pace])
def test_a_command_to_a_run_is_answered_by_the_next_look(give):
    cluster = a_running_one()
    assert obeyed(cluster, give(cluster.resource, "Fast"))


def test_resume_is_answered_once_the_pause_is_gone():
    cluster = a_running_one()
    assert obeyed(cluster, commands.pause(cluster.resource, "1"))
    assert obeyed(cluster, commands.resume(cluster.resource, "2"))


def test_a_pace_is_taken_back():
    cluster = a_running_one()
    assert obeyed(cluster, commands.pace(cluster.resource, "Fast"))
    taken_back = commands.pace(cluster.resource, "")
    assert obeyed(cluster, taken_back)
    assert "as spec.backfill.pace says" in taken_back.done


def test_a_retry_is_answered_also_while_the_resource_is_paused():
    cluster = ModelCluster()
    cluster.settle()
    cluster.annotate("headway.dev/paused", "1")
    assert obeyed(cluster, commands.retry(cluster.resource, "2"))


def test_an_abort_names_the_run_that_is_there():
    cluster = a_running_one()
    run = cluster.status.run.id
    assert commands.abort(cluster.resource, "now").annotations == {"headway.dev/abort": f"{run}/now"}


def test_a_run_that_is_held_before_it_began_can_be_aborted():
    cluster = ModelCluster()
    cluster.settle()
    cluster.annotate("headway.dev/paused", "1")
    cluster.edit(image="shop:2")
    cluster.reconcile()
    assert obeyed(cluster, commands.abort(cluster.resource, "now"))
    assert cluster.status.run.result == "Aborted"


@pytest.mark.parametrize(
    ("migration", "words"),
    [(DONE.resource, "ended as Succeeded"), (a_migration(), "no run has begun")],
    ids=["over", "fresh"],
)
def test_nothing_to_abort_is_said(migration, words):
    with pytest.raises(Refused, match=f"nothing to abort: .*{words}"):
        commands.abort(migration, "now")


def test_a_suspension_is_not_ended_by_resume():
    with pytest.raises(Refused, match="suspended, not paused"):
        commands.resume(a_migration(suspend=True), "now")
    both = commands.resume(a_migration(suspend=True, paused="1"), "now")
    assert both.done == "not paused any more, but spec.suspend is true and still holds it"


def test_a_pause_of_what_does_not_run_says_so():
    assert commands.pause(DONE.resource, "1").done == "paused: nothing runs now, and nothing will start"


def test_an_approval_shows_what_is_approved_and_writes_the_whole_digest():
    digest = WAITING.status.plan.digest
    for given in ("", digest, digest.removeprefix("sha256:")[:12].upper()):
        command = commands.approve(WAITING.resource, given, "alice")
        assert command.annotations == {"headway.dev/approve": digest, "headway.dev/approved-by": "alice"}
    assert command.shown == (
        "shops/shop, image registry.example.com/shop:1",
        "  main at base0: 1 to apply",
        "    registry.example.com/shop:1  title of registry.example.com/shop:1",
        "  audit at base0: 1 to apply",
        "    registry.example.com/shop:1  title of registry.example.com/shop:1",
        f"  digest {digest}",
    )


def test_an_approval_of_nobody_names_nobody():
    assert commands.approve(WAITING.resource, "", "").annotations["headway.dev/approved-by"] is None


def test_an_approval_of_another_plan_is_refused_with_both_digests():
    with pytest.raises(Refused) as refusal:
        commands.approve(WAITING.resource, "sha256:1a571a571a57", "")
    assert "sha256:1a571a571a57" in str(refusal.value)
    assert WAITING.status.plan.digest in str(refusal.value)


def test_fewer_than_twelve_digits_name_no_plan():
    with pytest.raises(Refused):
        commands.approve(WAITING.resource, WAITING.status.plan.digest[:18], "")


def test_what_needs_no_approval_is_told():
    with pytest.raises(Refused, match=r"no approval is needed: .* is Automatic"):
        commands.approve(DONE.resource, "", "")
    with pytest.raises(Refused, match="no plan to approve yet"):
        commands.approve(a_migration(approval="Required"), "", "")


def test_more_revisions_than_the_status_lists_are_counted():
    databases = tuple(replace(one, pending_count=51) for one in WAITING.status.databases)
    resource = replace(WAITING.resource, status=replace(WAITING.status, databases=databases))
    assert "    and 50 more" in commands.approve(resource, "", "").shown


def test_an_abort_of_a_run_without_an_end_needs_no_condition():
    status = Status(run=Run("3f9c2e01"))
    command = commands.abort(replace(a_migration(), status=status), "t")
    assert command.annotations == {"headway.dev/abort": "3f9c2e01/t"}
