"""The last line of `headway status`: what to do next, by what has happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from headway_cli.seen.lines import lines_of
from headway_cli.seen.next_step import next_step
from headway_contract.failures import FAILURES
from headway_operator.api.conditions import OWN_CONDITIONS, State, conditions_for
from headway_operator.api.migration import Migration
from headway_operator.api.reasons import REASONS, reason_of
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Status
from support.builders import a_migration

NOW = datetime(2026, 11, 3, 10, 5, tzinfo=UTC)
FAILED = (DatabaseStatus("main", DatabasePhase.FAILED),)


def migration(
    state: State, reason: str, message: str = "", generation: int = 1, **fields: object
) -> Migration:
    own = dict.fromkeys(OWN_CONDITIONS, ("Unknown", reason, "because"))
    conditions = conditions_for(state, reason, message, own, 1)
    status = Status(observed_generation=1, phase=str(state), conditions=conditions, databases=FAILED)
    return replace(a_migration(generation=generation), status=replace(status, **fields))  # type: ignore[arg-type]


def after(reason: str, message: str = "") -> str:
    return next_step(migration(State.FAILED, reason, message))


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        (
            "ConnectionLost",
            "Look at the database's log; the next attempt goes on from the last committed revision. "
            "Then: headway retry shop",
        ),
        ("AuthenticationFailed", "Correct the Secret, then retry: headway retry shop"),
        (
            "PartiallyApplied",
            "Undo the part by hand or make the revision re-entrant; the message names what stayed. "
            "Then: headway retry shop",
        ),
        ("RevisionFailed", "Correct the revision and build a new image; revisions before it stay applied."),
        ("Unexpected", "Look at the Job's log (headway logs shop main). Then: headway retry shop"),
        (
            "Aborted",
            "A new run goes on from there: change the specification, or headway retry shop",
        ),
        ("of a later release", "Look at the Job's log (headway logs shop main). Then: headway retry shop"),
    ],
)
def test_after_a_failure_it_is_what_mends_that_failure(reason: str, step: str) -> None:
    assert after(reason) == step
    assert list(lines_of(migration(State.FAILED, reason), NOW))[-1].text == f"Next: {step}"


def test_the_lint_asks_for_a_change_of_the_revision_and_for_no_retry() -> None:
    assert after("LintFailed").startswith("Change the revision as the finding says")
    assert "retry" not in after("LintFailed")


def test_an_operation_that_says_itself_what_to_do_before_it_is_run_again_is_not_to_be_corrected() -> None:
    said = "Revision a2 failed: The index is not valid. Drop it and run the revision again."
    assert after("RevisionFailed", said) == "Do what the message says. Then: headway retry shop"


@pytest.mark.parametrize("name", [one.name for one in (*FAILURES, *REASONS)])
def test_no_step_asks_for_what_this_program_does_itself_or_leaves_a_name_open(name: str) -> None:
    step = after(name)
    assert "kubectl annotate" not in step
    assert "NAME" not in step
    assert step


@pytest.mark.parametrize("one", FAILURES, ids=lambda one: one.name)
def test_every_failure_says_how_the_next_run_starts_where_nothing_in_the_resource_must_change(one) -> None:
    assert ("headway retry shop" in after(one.name)) is one.is_outside
    assert reason_of(one.name).is_outside is one.is_outside


def test_behind_the_gate_a_failure_has_its_step_too() -> None:
    assert next_step(migration(State.READY_FAILED, "LockTimeout")).endswith("Then: headway retry shop")


def test_what_failed_before_any_database_has_the_log_of_the_plan() -> None:
    assert "(headway logs shop)" in next_step(migration(State.FAILED, "PlanUnreadable", databases=()))


@pytest.mark.parametrize(
    ("state", "reason", "step"),
    [
        (
            State.WAITING,
            "WaitingForApproval",
            "headway plan shop shows it; then approve it: headway approve shop",
        ),
        (State.WAITING, "Paused", "headway resume shop"),
        (State.READY, "Paused", "headway resume shop"),
        (State.WAITING, "Suspended", "Set spec.suspend to false."),
        (State.PROGRESSING, "ImageNotPulled", "Check spec.image and spec.job.imagePullSecrets."),
        (State.PROGRESSING, "Migrating", ""),
        (State.PROGRESSING, "Retrying", ""),
        (State.SUCCEEDED, "Succeeded", ""),
    ],
)
def test_what_is_held_has_the_step_that_lets_it_go_on_and_what_goes_on_has_none(
    state: State, reason: str, step: str
) -> None:
    seen = migration(state, reason)
    assert next_step(seen) == step
    assert any(line.text.startswith("Next: ") for line in lines_of(seen, NOW)) is bool(step)


def test_a_generation_that_nobody_has_seen_is_said_and_has_no_advice_of_the_one_before() -> None:
    seen = migration(State.FAILED, "RevisionFailed", generation=2)
    assert any("no operator has seen this generation yet" in line.text for line in lines_of(seen, NOW))
    assert next_step(seen) == ""
