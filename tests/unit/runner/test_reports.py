"""What a runner says after the words of a server: the last line of its log, and what it adds to a failure."""

from headway_contract.drift import DatabaseDrift, report_of
from headway_contract.result import DatabasePlan, Failure, Outcome, PendingRevision, Plan, RunResult
from headway_runner.gate import judge
from headway_runner.modes.attempts import given_up
from headway_runner.processes.task import Application
from headway_runner.run.verdict import with_indexes
from headway_runner.words.reports import last_words


def test_a_server_s_words_end_before_what_they_mean_begins():
    said = 'password authentication failed for user "lib"'
    words = last_words(RunResult(Outcome.FAILED, "r1", "main", failure=Failure("AuthenticationFailed", said)))
    assert words.startswith(f"main: AuthenticationFailed: {said}. The database refused the user")


def test_a_sentence_that_ends_already_is_left_as_it_is():
    words = last_words(
        RunResult(Outcome.FAILED, "r1", "main", failure=Failure("MultipleHeads", "The heads are a1, b1."))
    )
    assert words.startswith("main: MultipleHeads: The heads are a1, b1. The history has more than one head")


def test_where_it_was_stopped_is_a_sentence_of_its_own():
    stopped = RunResult(
        Outcome.STOPPED,
        "r1",
        "main",
        to_revision=("a1",),
        pending_count=2,
        notice="It stopped in shop.orders.",
    )
    where = "main: stopped at a1, 2 revisions to go; the next run goes on here"
    assert last_words(stopped) == f"{where}. It stopped in shop.orders."


def test_one_revision_in_one_database_is_told_as_one():
    pending = (PendingRevision("a1"),)
    plan = Plan((DatabasePlan("main", pending=pending),))
    assert last_words(RunResult(Outcome.SUCCEEDED, "r1", plan=plan)) == "planned 1 revision in 1 database"
    applied = RunResult(Outcome.SUCCEEDED, "r1", "main", to_revision=("a1",), applied_count=1)
    assert last_words(applied) == "main: at a1, 1 revision applied"
    stopped = RunResult(Outcome.STOPPED, "r1", "main", to_revision=("a1",), pending_count=1)
    assert "stopped at a1, 1 revision to go" in last_words(stopped)


def test_what_is_added_to_a_server_s_words_begins_a_sentence():
    failure = Failure("LockTimeout", "canceling statement due to lock timeout", "a1")
    tried = given_up(Application(failure=failure), 3, 20.0).failure
    assert tried is not None
    assert tried.message == f"{failure.message}. Given up after 3 attempts in 20 s."
    assert with_indexes(failure, ("ix",)).message.startswith(f"{failure.message}. It left invalid: ix")
    assert judge(RunResult(Outcome.FAILED, "gate", failure=failure))[0].startswith(f"{failure.message}. Find")
    assert report_of(DatabaseDrift("main", failure=failure), ()).message.startswith(
        f"The comparison failed: {failure.message}. What"
    )
