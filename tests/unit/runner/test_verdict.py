"""What a run did and what a fresh look saw decide how it ended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_contract.result import Failure, Outcome, PendingRevision
from headway_runner.processes.task import Application, Inspection, NotEnded, Place
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


X, Y = Place(None, "alembic_version", "schema x"), Place(None, "alembic_version", "schema y")
HIDDEN = Failure("Swallowed", "no privilege (schema x)")


def test_a_context_that_raised_and_was_not_looked_at_again_is_a_failure_with_what_it_raised():
    run = Application(applied=("r1", "r2"), ended=(Y,), not_ended=(NotEnded(X, HIDDEN),))
    assert decide(run, Inspection(current=("r2",), seen=(Y,))).failure == HIDDEN
    silent = decide(Application(ended=(Y,), not_ended=(NotEnded(X),)), Inspection(seen=(Y,))).failure
    assert (silent.name, "(schema x)" in silent.message) == ("Swallowed", True)


def test_a_context_that_raised_and_in_which_a_fresh_look_finds_nothing_pending_is_fine():
    run = Application(applied=("r1", "r2"), ended=(Y,), not_ended=(NotEnded(X, HIDDEN),))
    assert decide(run, Inspection(current=("r2",), seen=(X, Y))).outcome is Outcome.SUCCEEDED


def test_why_revisions_are_missing_is_told_by_the_context_that_raised():
    run = Application(ended=(Y,), not_ended=(NotEnded(X, HIDDEN),))
    after = Inspection(pending=BEFORE.pending, seen=(X, Y))
    assert decide(run, after).failure == HIDDEN


def test_a_context_that_only_the_first_look_could_not_look_at_is_a_failure():
    before = Inspection(pending=BEFORE.pending, seen=(Y,), not_ended=(NotEnded(X, HIDDEN),))
    run = Application(applied=("r1", "r2"), ended=(Y,))
    assert decide(run, Inspection(seen=(Y,)), before=before).failure == HIDDEN
    both = Application(applied=("r1", "r2"), ended=(X, Y))
    assert decide(both, Inspection(seen=(X, Y)), before=before).outcome is Outcome.SUCCEEDED


def test_a_look_at_fewer_contexts_than_were_migrated_confirms_nothing():
    run = Application(applied=("r1", "r2"), ended=(X, Y))
    failure = decide(run, Inspection(current=("r2",), seen=(Y,))).failure
    assert failure.name == "NotPersisted"
    assert "came to 1 of 2 migration contexts, not to schema x," in failure.message


def test_a_stop_in_a_context_that_no_look_comes_to_again_is_no_success():
    run = Application(ended=(Y,), not_ended=(NotEnded(X),), stopped=True)
    assert decide(run, Inspection(seen=(Y,)), stopping=True).outcome is Outcome.STOPPED


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
    not_ended=st.just(()) | st.builds(NotEnded, st.just(X), FAILURES).map(lambda one: (one,)),
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
        assert not run.not_ended
        assert run.failure is None or (stopping and run.failure.name == "LockTimeout")
    assert (result.failure is not None) == (result.outcome is Outcome.FAILED)
