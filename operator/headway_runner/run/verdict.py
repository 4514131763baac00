"""How a run ended, decided from what it did and what a fresh look saw afterwards. Pure.

Rule: only the fresh look can say that a run succeeded.
"""

from dataclasses import replace

from headway_contract.request import RunRequest
from headway_contract.result import BACKFILLS_KEPT, Failure, Outcome, RunResult
from headway_contract.sentences import sentence
from headway_runner.processes.task import Application, Inspection, NotEnded
from headway_runner.words.titles import named

STATEMENTS_SHOWN = 5
CANCELLED_STATE = "57014"
"""query_canceled"""
UNIQUE_STATE = "23505"
"""unique_violation"""
ROLLED_BACK = (
    "The revisions ran inside a transaction that env.py had begun before context.configure(), "
    "and it was never committed."
)


def verdict(
    request: RunRequest, before: Inspection, run: Application, after: Inspection, stopping: bool
) -> RunResult:
    """The result of a run that applied something or tried to."""
    failure = first_failure(before, run, after, stopping)
    if request.command:
        failure = failure_of_the_command(failure, before, run, after)
    elif failure is None and not was_interrupted(run, stopping):
        failure = not_seen_again(run, after)
    pending = len(after.pending)
    stopped = failure is None and (pending > 0 or after.cut_short or bool(left_out(before, run, after)))
    applied = kept(run, after)
    outcome = Outcome.FAILED if failure is not None else Outcome.STOPPED if stopped else Outcome.SUCCEEDED
    return RunResult(
        outcome,
        request.run,
        request.databases[0].name,
        from_revision=before.current,
        to_revision=after.current,
        applied=applied,
        applied_count=len(applied),
        pending_count=pending,
        post_deploy_count=len(after.post_deploy),
        failure=failure,
        notice=notice_of_a_stop(before, run, after) if stopped else "",
        backfills=run.backfills[-BACKFILLS_KEPT:],
        backfills_count=len(run.backfills),
    )


def notice_of_a_stop(before: Inspection, run: Application, after: Inspection) -> str:
    """What a stop left that a person may stumble over before the next run."""
    if after.cut_short:
        return "The last look at the database was cut short, so what is applied was not confirmed."
    broken = broken_indexes(before, run, after)
    left = f"It left invalid: {', '.join(broken)}; the next run builds that index again." if broken else ""
    return " ".join(filter(None, (run.place_of_stop, left)))


def kept(run: Application, after: Inspection) -> tuple[str, ...]:
    """Of the revisions that ended, those that the database still has; all of them when it could not be asked."""
    pending = {one.revision for one in after.pending}
    return tuple(revision for revision in run.applied if revision not in pending)


def first_failure(before: Inspection, run: Application, after: Inspection, stopping: bool) -> Failure | None:
    """The failure that a person should know first, None when the run succeeded or stopped in order."""
    broken = broken_indexes(before, run, after)
    failure = failure_of_the_run(before, run, stopping)
    if failure is not None:
        return with_indexes(failure, broken)
    if after.failure is not None:
        return None if after.cut_short else after.failure
    if was_interrupted(run, stopping):
        return None
    left = left_out(before, run, after)
    if after.pending:
        return not_there(run, after, left)
    if left:
        return hidden(left)
    if broken:
        return Failure(
            "PartiallyApplied", f"The revisions are applied, but left invalid: {', '.join(broken)}."
        )
    return None


def was_interrupted(run: Application, stopping: bool) -> bool:
    """It was asked to stop, and did before its end."""
    return run.stopped or (stopping and bool(run.unfinished or run.not_ended))


def title_of(revision: str, before: Inspection) -> str:
    """Its title in the plan."""
    return next((one.title for one in before.pending if one.revision == revision), "")


def failure_of_the_run(before: Inspection, run: Application, stopping: bool) -> Failure | None:
    """What the run reports itself. When nothing stayed, a cancellation that we asked for is none, nor is a lock that
    could not be had before the stop: the run would have waited on.
    """
    failure = run.failure or run.seen
    if run.unfinished and run.kept:
        name = named(run.unfinished, title_of(run.unfinished, before))
        reason = failure.message if failure is not None else f"Revision {name} was interrupted"
        return Failure(
            "PartiallyApplied",
            f"{reason.rstrip('.')}. Committed before that and still there: {listed(run.kept)}.",
            run.unfinished,
            failure.sqlstate if failure is not None else "",
        )
    if run.failure is not None and not (stopping and ends_with_a_stop(run.failure)):
        return run.failure
    return None


def listed(statements: tuple[str, ...]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(statements) - STATEMENTS_SHOWN} more" if len(statements) > STATEMENTS_SHOWN else ""
    return "; ".join(statements[:STATEMENTS_SHOWN]) + more


def ends_with_a_stop(failure: Failure) -> bool:
    """Of a run that was asked to stop."""
    return is_cancellation(failure) or failure.name == "LockTimeout"


def is_cancellation(failure: Failure) -> bool:
    """The statement was cancelled, or the revision's code was interrupted."""
    names = ("CancelledError", "Cancelled:", "KeyboardInterrupt")
    return (
        failure.sqlstate == CANCELLED_STATE
        or failure.message.startswith(names)
        or any(f" failed: {name}" in failure.message for name in names)
        or "interrupted" in failure.message
    )


def not_there(run: Application, after: Inspection, left: tuple[NotEnded, ...]) -> Failure:
    """Alembic ended well, and yet revisions are missing."""
    if run.seen is not None:
        return Failure("Swallowed", run.seen.message, run.unfinished or run.seen.revision, run.seen.sqlstate)
    if run.unfinished:
        name = named(run.unfinished, title_of(run.unfinished, after))
        return Failure("Swallowed", f"Nothing was seen of why {name} did not end.", run.unfinished)
    if any(one.failure is not None for one in left):
        return hidden(left)
    missing = ", ".join(named(one.revision, one.title) for one in after.pending[:5])
    where = f" in {' and '.join(after.places)}" if after.places else ""
    why = f" {ROLLED_BACK}" if run.outer_transaction else ""
    return Failure(
        "NotPersisted", f"The database does not have {missing}{where}.{why}", after.pending[0].revision
    )


def left_out(before: Inspection, run: Application, after: Inspection) -> tuple[NotEnded, ...]:
    """Migration contexts that began and did not end, and of which no look has said since that nothing is pending."""
    began = {one.place: one for one in (*before.not_ended, *run.not_ended, *after.not_ended)}
    at_their_end = {*run.ended, *(() if after.pending else after.seen)}
    return tuple(one for place, one in began.items() if place not in at_their_end)


def hidden(left: tuple[NotEnded, ...]) -> Failure:
    """Env.py went on without a context: that is no success, whatever it comes to later."""
    raised = next((one.failure for one in left if one.failure is not None), None)
    if raised is not None:
        return raised
    place = left[0].place.named
    return Failure("Swallowed", f"Nothing was seen of why the migration context ({place}) did not end.")


def not_seen_again(run: Application, after: Inspection) -> Failure | None:
    """Fewer migration contexts than were migrated; how many, because a revision may change what a place is called."""
    if after.failure is not None or len(after.seen) >= len(run.ended):
        return None
    missed = [place.named for place in run.ended if place not in after.seen]
    return Failure(
        "NotPersisted",
        f"The look after the run came to {len(after.seen)} of {len(run.ended)} migration contexts, not to "
        f"{', '.join(missed[:5])}, so it is not known whether nothing is pending there.",
    )


def failure_of_the_command(
    failure: Failure | None, before: Inspection, run: Application, after: Inspection
) -> Failure | None:
    """The same with what only the application's own command can do: end in the look before all has been seen."""
    if after.failure is not None or after.pending:
        return failure
    migrated = max(before.contexts, run.completed)
    if failure is None and after.contexts < migrated:
        seen = f"The look after the run came to {after.contexts} of {migrated} migration contexts"
        return Failure("CommandFailed", f"{seen}, so it is not known whether nothing is pending.")
    if failure is not None and failure.name == "CommandFailed" and after.contexts >= migrated:
        return replace(failure, name="CommandFailedAfterwards")
    return failure


def broken_indexes(before: Inspection, run: Application, after: Inspection) -> tuple[str, ...]:
    """Invalid indexes that this run made or was to build."""
    return tuple(
        index
        for index in after.invalid_indexes
        if index not in before.invalid_indexes or index in run.indexes
    )


def with_indexes(failure: Failure, broken: tuple[str, ...]) -> Failure:
    """Name the invalid indexes that a failed revision left."""
    if not broken:
        return failure
    left = f"{sentence(failure.message)} It left invalid: {', '.join(broken)}; the next run builds that index again."
    if failure.sqlstate == UNIQUE_STATE:
        left += (
            " It would fail in the same way: first find the rows that have the same values in the index's columns "
            "(GROUP BY … HAVING count(*) > 1) and make them differ."
        )
    return Failure(failure.name, left, failure.revision, failure.sqlstate)
