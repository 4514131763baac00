"""What a command to a resource of a cluster writes, when it is answered, and when it is refused. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headway_cli import commands
from headway_cli.commands import Refused
from headway_cli.steer import answer_to
from headway_operator.api.migration import LintSettings
from headway_operator.api.status import RuleStatus, Run, Status
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
    assert (
        taken_back.told(cluster.resource)
        == "its backfills go as spec.backfill.pace says, from the next batch on"
    )


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


def answer(cluster: ModelCluster, command: commands.Command) -> str:
    """All that a person is told once it is answered."""
    assert obeyed(cluster, command)
    return "\n".join(answer_to(command, cluster.resource))


def test_a_pause_of_what_runs_says_that_it_holds_later_and_of_what_does_not_run_that_it_is_paused():
    assert answer(a_running_one(), commands.pause(a_running_one().resource, "1")).startswith(
        "shop: to be paused: what runs holds at its next safe point, between batches or between revisions; nothing "
        "starts before headway resume shop. headway status shop shows when it holds\n  Waiting: "
    )
    cluster = ModelCluster()
    cluster.settle()
    assert commands.pause(cluster.resource, "1").told(cluster.resource) == (
        "paused: nothing runs now, and nothing starts before headway resume shop"
    )


def test_after_a_pause_it_goes_on():
    cluster = a_running_one()
    assert obeyed(cluster, commands.pause(cluster.resource, "1"))
    assert answer(cluster, commands.resume(cluster.resource, "2")).startswith(
        "shop: not paused any more, and goes on\n  Migrating: "
    )


def test_what_is_suspended_too_is_said_to_be_held_still_by_what_and_until_when():
    cluster = ModelCluster(a_migration(suspend=True, paused="1"))
    cluster.reconcile()
    assert answer(cluster, commands.resume(cluster.resource, "2")).splitlines() == [
        "shop: not paused any more, but something else holds it still",
        "  Waiting: spec.suspend is true: nothing is started until it is false",
        "  Next: Set spec.suspend to false.",
    ]


def test_what_waits_for_an_approval_is_said_to_be_held_still():
    cluster = ModelCluster(a_migration(approval="Required"))
    cluster.settle()
    assert obeyed(cluster, commands.pause(cluster.resource, "1"))
    told = answer(cluster, commands.resume(cluster.resource, "2")).splitlines()
    assert told[0] == "shop: not paused any more, but something else holds it still"
    assert told[-1] == "  Next: headway plan shop shows it; then approve it: headway approve shop"


def test_an_approval_of_what_is_paused_does_not_say_that_it_is_carried_out():
    cluster = ModelCluster(a_migration(approval="Required"))
    cluster.settle()
    assert obeyed(cluster, commands.pause(cluster.resource, "1"))
    told = answer(cluster, commands.approve(cluster.resource, "", "alice")).splitlines()
    assert told[0].endswith(" is approved, but something else holds it still")
    assert told[-1] == "  Next: headway resume shop"


def test_an_approval_of_what_nothing_else_holds_is_carried_out():
    cluster = ModelCluster(a_migration(approval="Required"))
    cluster.settle()
    assert " is approved, and is carried out\n" in answer(cluster, commands.approve(cluster.resource, "", ""))


def test_what_was_not_paused_is_not_said_to_go_on():
    cluster = ModelCluster()
    cluster.settle()
    command = commands.resume(cluster.resource, "2")
    assert command.told(cluster.resource) == "was not paused; nothing is left to do"


def test_an_abort_of_what_runs_says_that_it_goes_on_to_its_next_safe_point():
    cluster = a_running_one()
    told = answer(cluster, commands.abort(cluster.resource, "now"))
    assert told.startswith(
        "shop: to be aborted: what runs goes on to its next safe point, the end of its batch or revision; nothing "
        "more starts. headway status shop -w shows when it has ended\n  Aborting: "
    )


def test_an_abort_of_what_waits_is_over_at_once_and_says_how_a_new_run_is_started():
    cluster = ModelCluster(a_migration(approval="Required"))
    cluster.settle()
    told = answer(cluster, commands.abort(cluster.resource, "now")).splitlines()
    assert told[0] == "shop: aborted: nothing runs any more, and what was applied stays"
    assert told[1].startswith("  Aborted: ")
    assert told[-1] == "  Next: A new run goes on from there: change the specification, or headway retry shop"


def test_an_abort_that_is_seen_when_all_is_done_says_that_nothing_was_aborted():
    cluster = a_running_one()
    command = commands.abort(cluster.resource, "now")
    run = cluster.status.run.id
    cluster.settle()
    told = answer(cluster, command)
    assert told.startswith(
        f"shop: nothing was aborted: run {run} had ended as Succeeded when the abort was seen\n"
    )


def test_a_retry_says_that_its_run_has_begun_or_what_holds_it():
    cluster = ModelCluster()
    cluster.settle()
    assert answer(cluster, commands.retry(cluster.resource, "1")).startswith(
        "shop: asked for a new run, and it has begun\n  Planning: "
    )
    held = ModelCluster()
    held.settle()
    assert obeyed(held, commands.pause(held.resource, "1"))
    told = answer(held, commands.retry(held.resource, "2")).splitlines()
    assert (told[0], told[-1]) == (
        "shop: asked for a new run, but something else holds it still",
        "  Next: headway resume shop",
    )


def test_a_retry_of_what_runs_begins_when_that_has_ended():
    cluster = a_running_one()
    assert answer(cluster, commands.retry(cluster.resource, "1")).startswith(
        "shop: asked for a new run, and starts once the run before has ended at its next safe point\n  Stopping: "
    )


def test_an_approval_shows_what_is_approved_and_writes_the_whole_digest():
    digest = WAITING.status.plan.digest
    for given in ("", digest, digest.removeprefix("sha256:")[:12].upper()):
        command = commands.approve(WAITING.resource, given, "alice")
        assert command.annotations == {"headway.dev/approve": digest, "headway.dev/approved-by": "alice"}
    assert command.shown == (
        "shops/shop, image registry.example.com/shop:1",
        "  main at base0: 1 revision to apply",
        "    registry.example.com/shop:1  title of registry.example.com/shop:1",
        "  audit at base0: 1 revision to apply",
        "    registry.example.com/shop:1  title of registry.example.com/shop:1",
        "  no review: what the revisions do was not told",
        f"  digest {digest}",
    )


def test_an_approval_shows_that_revisions_are_taken_back():
    main, audit = WAITING.status.databases
    back = replace(main, planned=replace(main.planned, downgrade=True))
    settled = replace(WAITING.resource, status=replace(WAITING.status, databases=(back, audit)))
    shown = commands.approve(settled, "", "").shown
    assert "  main at base0: 1 revision to take back" in shown
    assert "  audit at base0: 1 revision to apply" in shown


def reviewed(*rules: RuleStatus, warnings: tuple[str, ...] = (), **spec: Any) -> tuple[str, ...]:
    """What an approval shows of a plan in which these rules found something, and the status keeps these words."""
    migration, status = WAITING.resource, WAITING.status
    assert migration.spec is not None
    assert status.plan is not None
    main, audit = status.databases
    main = replace(main, pending=tuple(replace(one, warnings=warnings) for one in main.pending))
    found = replace(status, plan=replace(status.plan, reviewed=True, findings=rules), databases=(main, audit))
    settled = replace(migration, spec=replace(migration.spec, **spec), status=found)
    return commands.approve(settled, "", "").shown


LOCKS = "Error lock_stops_writes, line 12: The table stands still."
NAMES = "Warning name_is_cut, line 3: The name is too long."
RULES = (
    RuleStatus("lock_stops_writes", "Error", 1, "main: a1 (a1.py, line 12): The table stands still."),
    RuleStatus("name_is_cut", "Warning", 1, "main: a1 (a1.py, line 3): The name is too long."),
)


def test_an_approval_shows_what_the_review_found_below_each_revision():
    shown = reviewed(*RULES, warnings=(LOCKS, NAMES))
    place = shown.index("    registry.example.com/shop:1  title of registry.example.com/shop:1")
    assert shown[place + 1 : place + 3] == (f"      ! {LOCKS}", f"      ! {NAMES}")
    assert shown[-2] == "  the review has 2 findings"


def test_a_rule_that_is_ignored_now_is_not_shown_for_an_approval():
    shown = reviewed(*RULES, warnings=(LOCKS, NAMES), lint=LintSettings(ignore=("lock_stops_writes",)))
    assert f"      ! {NAMES}" in shown
    assert not any("lock_stops_writes" in line for line in shown)
    assert shown[-2] == "  the review has 1 finding"


def test_findings_in_revisions_that_the_status_does_not_list_are_shown_by_rule():
    shown = reviewed(*RULES, warnings=(LOCKS,))
    assert shown[-4:-1] == (
        "  the review has 2 findings",
        f"    ! Error lock_stops_writes (1): {RULES[0].first}",
        f"    ! Warning name_is_cut (1): {RULES[1].first}",
    )


def test_an_approval_says_that_the_review_found_nothing_or_that_there_was_none():
    assert reviewed()[-2] == "  the review found nothing"
    never = reviewed(*RULES, warnings=(LOCKS,), lint=LintSettings(mode="Never"))
    assert never[-2] == "  no review: spec.lint.mode is Never"
    assert not any("!" in line for line in never)


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
