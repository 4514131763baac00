"""What a run did and what a fresh look saw decide how it ended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_contract.result import Failure, Outcome, PendingRevision
from headway_runner.processes.task import Application, Inspection
from headway_runner.run.verdict import verdict

REQUEST = RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("main"),))
BEFORE = Inspection(current=("r0",), pending=(PendingRevision("r1"), PendingRevision("r2")))
DONE = Inspection(current=("r2",))
CANCELLED = Failure("RevisionFailed", "canceling statement due to user request", "r1", "57014")


def decide(run, after=DONE, stopping=False, before=BEFORE):
    return verdict(REQUEST, before, run, after, stopping)


def test_a_run_whose_revisions_are_all_seen_again_succeeded():
    result = decide(Application(applied=("r1", "r2")))
    assert result.outcome is Outcome.SUCCEEDED
    assert (result.from_revision, result.to_revision, result.applied_count) == (("r0",), ("r2",), 2)


def test_revisions_that_are_not_seen_again_were_not_applied():
    result = decide(Application(applied=("r1", "r2")), after=BEFORE)
    assert result.failure.name == "NotPersisted"
    assert result.applied == ()
    assert "r1, r2" in result.failure.message


def test_a_started_revision_that_never_ended_was_swallowed():
    seen = Failure("RevisionFailed", "division by zero", "r1", "22012")
    result = decide(Application(unfinished="r1", seen=seen), after=BEFORE)
    assert result.failure == Failure("Swallowed", "division by zero", "r1", "22012")


@pytest.mark.parametrize("raised", ["Cancelled: The run was asked to stop.", "KeyboardInterrupt"])
def test_code_that_was_interrupted_is_a_stop_whatever_its_title_says(raised):
    failure = Failure("RevisionFailed", f"Revision r1 (retry what failed: twice) failed: {raised}", "r1")
    run = Application(unfinished="r1", failure=failure)
    assert decide(run, after=BEFORE, stopping=True).outcome is Outcome.STOPPED
    assert decide(run, after=BEFORE).failure == failure


def test_a_cancelled_statement_is_a_stop_only_when_we_were_asked_to():
    run = Application(unfinished="r1", failure=CANCELLED)
    assert decide(run, BEFORE, stopping=True).outcome is Outcome.STOPPED
    assert decide(run, BEFORE, stopping=False).failure == CANCELLED


def test_a_real_failure_is_told_even_while_stopping():
    failure = Failure("RevisionFailed", "syntax error", "r1", "42601")
    assert decide(Application(unfinished="r1", failure=failure), BEFORE, stopping=True).failure == failure


def test_a_part_that_was_committed_is_never_a_plain_stop():
    run = Application(unfinished="r1", kept=("ALTER TABLE users",), failure=CANCELLED)
    assert decide(run, BEFORE, stopping=True).failure.name == "PartiallyApplied"


def test_a_stop_that_came_too_late_is_a_success():
    assert decide(Application(applied=("r1", "r2")), stopping=True).outcome is Outcome.SUCCEEDED


def test_an_invalid_index_of_this_run_is_a_failure_and_an_old_one_is_not():
    left = Inspection(current=("r2",), invalid_indexes=("public.i",))
    assert "public.i" in decide(Application(applied=("r1", "r2")), left).failure.message
    before = Inspection(current=("r0",), pending=BEFORE.pending, invalid_indexes=("public.i",))
    assert decide(Application(applied=("r1", "r2")), left, before=before).outcome is Outcome.SUCCEEDED
    elsewhere = Application(applied=("r1", "r2"), indexes=("audit.i",))
    assert decide(elsewhere, left, before=before).outcome is Outcome.SUCCEEDED
    rebuilt = Application(applied=("r1", "r2"), indexes=("public.i",))
    assert decide(rebuilt, left, before=before).failure.name == "PartiallyApplied"


def test_a_unique_index_that_cannot_be_built_is_told_with_what_to_do_first():
    duplicates = Failure("RevisionFailed", 'could not create unique index "i".', "r1", "23505")
    left = Inspection(current=("r0",), pending=BEFORE.pending, invalid_indexes=("public.i",))
    message = decide(Application(unfinished="r1", failure=duplicates), left).failure.message
    assert "It would fail in the same way: first find the rows" in message


def test_a_look_that_failed_is_no_success():
    away = Inspection(failure=Failure("DatabaseUnreachable", "away"))
    assert decide(Application(applied=("r1", "r2")), away).failure.name == "DatabaseUnreachable"


FAILURES = st.none() | st.builds(Failure, st.sampled_from(["RevisionFailed", "LockTimeout"]), st.just("text"))
REVISIONS = st.lists(st.sampled_from(["r1", "r2"]), unique=True).map(tuple)
RUNS = st.builds(
    Application,
    applied=REVISIONS,
    unfinished=st.sampled_from(["", "r2"]),
    kept=st.just(()) | st.just(("ALTER TABLE users ADD COLUMN x",)),
    stopped=st.booleans(),
    failure=FAILURES,
    seen=FAILURES,
)
AFTER = st.builds(
    Inspection, pending=REVISIONS.map(lambda ids: tuple(map(PendingRevision, ids))), failure=FAILURES
)


@given(RUNS, AFTER, st.booleans())
def test_success_is_said_only_when_the_fresh_look_saw_nothing_pending(run, after, stopping):
    result = decide(run, after, stopping)
    if result.outcome is Outcome.SUCCEEDED:
        assert after.failure is None
        assert not after.pending
        assert run.failure is None or (stopping and run.failure.name == "LockTimeout")
    assert (result.failure is not None) == (result.outcome is Outcome.FAILED)
