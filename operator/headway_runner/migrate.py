"""Mode Migrate: look, run under the lock, again when a table lock could not be had, then verify with fresh eyes.

Rule: a run that carries out a plan looks itself, under the lock. What it finds is either as planned, or left to a
look: whatever the reason, that is the same look with the same words as without a plan.
"""

import random
import time
from collections.abc import Callable
from dataclasses import replace

from headway_contract.backfill import BackfillRecord
from headway_contract.events import Notice, PassRetried, RevisionApplied, RevisionStarted, Verified
from headway_contract.request import RunRequest
from headway_contract.result import Failure, Outcome, RunResult
from headway_runner import first_look
from headway_runner.failures import RunFailed, named
from headway_runner.invalid_indexes import ADVICE
from headway_runner.own_look import as_the_run_left_it, is_needed, look_again
from headway_runner.passes import apply, inspect
from headway_runner.plan import announce, as_plan, first_task, is_ahead, look, without_a_look
from headway_runner.supervisor import Died, Supervisor
from headway_runner.task import Application, Inspection, Task
from headway_runner.verdict import verdict

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0


def migrate_database(supervisor: Supervisor, request: RunRequest) -> RunResult:
    """Take the request's one database to its target."""
    database = request.databases[0]
    try:
        task = first_task(request, database)
        result = None if first_look.is_needed(request) else migrate_as_planned(supervisor, task)
        return result or migrate_after_a_look(supervisor, task)
    except RunFailed as failed:
        return RunResult(Outcome.FAILED, request.run, database.name, failure=failed.failure)


def migrate_as_planned(supervisor: Supervisor, task: Task) -> RunResult | None:
    """With no look before the run; None: it wrote nothing and needs one. Raises :class:`RunFailed`."""
    task = without_a_look(task)
    run = run_until_unlocked(supervisor, replace(task, read_only=False, looks_itself=True))
    if run.before is not None:
        return conclude(supervisor, replace(task, identity=run.before.identity), run.before, run)
    was_stopped = supervisor.stopping is not None
    return RunResult(Outcome.STOPPED, task.request.run, task.database.name) if was_stopped else None


def migrate_after_a_look(supervisor: Supervisor, task: Task) -> RunResult:
    """Look, judge, and run what is pending. Raises :class:`RunFailed`."""
    request, database = task.request, task.database
    task, before = look(supervisor, task)
    seen = RunResult(
        Outcome.SUCCEEDED,
        request.run,
        database.name,
        from_revision=before.current,
        to_revision=before.current,
        pending_count=len(before.pending),
        post_deploy_count=len(before.post_deploy),
        ahead=is_ahead(before) and before.failure is None,
        failure=before.failure,
    )
    if before.failure is not None:
        outcome = Outcome.FAILED if supervisor.stopping is None else Outcome.STOPPED
        return replace(seen, outcome=outcome, failure=before.failure if outcome is Outcome.FAILED else None)
    announce(supervisor, as_plan(task, before))
    if not before.pending:
        # The plan was a fresh look: there is nothing that a run could add or a second look could see.
        supervisor.emit(Verified(database.name, before.current, 0))
        return seen
    if supervisor.stopping is not None:
        return replace(seen, outcome=Outcome.STOPPED)
    expected = tuple(one.revision for one in before.pending) if database.planned is not None else None
    run = run_until_unlocked(supervisor, replace(task, read_only=False, expected=expected))
    return conclude(supervisor, task, before, run)


def conclude(supervisor: Supervisor, task: Task, before: Inspection, run: Application) -> RunResult:
    """Verify, then decide."""
    interrupted = bool(run.unfinished) or run.failure is not None
    # What waits behind the gate is counted by the look itself.
    reached = () if run.post_deploy else run.heads
    after = verify(supervisor, replace(task, contexts=run.contexts, reached=reached, settle=interrupted))
    if task.request.command and is_needed(run, after):
        after = ask_the_database(supervisor, task, run, after)
    name = task.database.name
    if after.failure is None:
        supervisor.emit(Verified(name, after.current, len(after.pending)))
    for index in sorted(set(after.invalid_indexes).intersection(before.invalid_indexes)):
        supervisor.emit(
            Notice(name, f"The index {index} was invalid before this run and still is: {ADVICE}.")
        )
    return verdict(task.request, before, run, after, supervisor.stopping is not None)


def verify(supervisor: Supervisor, task: Task) -> Inspection:
    """A fresh process looks again; a stop does not end it, because it is what the result rests on."""
    task = replace(task, database=replace(task.database, planned=None))
    found = supervisor.run(inspect, task, last=True)
    if isinstance(found, Died):
        return Inspection(
            failure=Failure("Unexpected", found.sentence), cut_short=supervisor.stopping is not None
        )
    return found


def ask_the_database(supervisor: Supervisor, task: Task, run: Application, after: Inspection) -> Inspection:
    """A command need not upgrade when nothing is pending: the look is then at the version tables alone."""
    if task.url is None:
        return as_the_run_left_it(run, after, after)
    found = supervisor.run(look_again, replace(task, tables=run.tables), last=True)
    return after if isinstance(found, Died) else as_the_run_left_it(run, after, found)


def run_until_unlocked(
    supervisor: Supervisor, task: Task, clock: Callable[[], float] = time.monotonic
) -> Application:
    """Run; run again after a pause while table locks cannot be had and nothing half-done stands in the way.

    A run that looks itself and saw nothing that may run is not run again: it wrote nothing.
    """
    start = clock()
    before: Inspection | None = None
    applied: tuple[str, ...] = ()
    backfills: tuple[BackfillRecord, ...] = ()
    attempt = 0
    while True:
        attempt += 1
        run = run_once(supervisor, task)
        before = before or run.before
        applied = tuple(dict.fromkeys((*applied, *run.applied)))
        backfills += run.backfills
        run = replace(run, applied=applied, backfills=backfills, before=before)
        if task.looks_itself and before is None:
            return run
        wait = pause_before(attempt + 1, random.random())
        if supervisor.stopping is not None or not is_worth_another_pass(run):
            return run
        seconds = clock() - start
        if seconds + wait > task.request.lock_give_up_seconds:
            return given_up(run, attempt, seconds)
        reason = (run.failure or run.seen or Failure("LockTimeout", "")).message
        supervisor.emit(PassRetried(task.database.name, reason, attempt, round(wait, 2)))
        if not supervisor.pause(wait):
            return run
        task = replace(task, looks_itself=False)


def given_up(run: Application, attempts: int, seconds: float) -> Application:
    """The same run, its failure saying how often and how long it was tried."""
    tried = f"Given up after {attempts} attempt{'' if attempts == 1 else 's'} in {seconds:.0f} s."

    def told(failure: Failure | None) -> Failure | None:
        return None if failure is None else replace(failure, message=f"{failure.message} {tried}")

    return replace(run, failure=told(run.failure), seen=told(run.seen))


def run_once(supervisor: Supervisor, task: Task) -> Application:
    """One pass in a fresh process."""
    found = supervisor.run(apply, task)
    return what_is_known(found, supervisor.stopping is not None) if isinstance(found, Died) else found


def what_is_known(died: Died, stopping: bool) -> Application:
    """Of a process that ended without a report: what it told. One that was told to stop may be killed for that."""
    applied = tuple(event.revision for event in died.events if isinstance(event, RevisionApplied))
    started = [event for event in died.events if isinstance(event, RevisionStarted)]
    unfinished = started[-1].revision if len(started) > len(applied) else ""
    kept = died.kept.statements if died.kept.revision == unfinished else ()
    if stopping and not kept:
        return Application(died.before, applied=applied, unfinished=unfinished, stopped=True)
    sentence = (
        "It did not end in time after it was asked to stop, and was killed." if stopping else died.sentence
    )
    if unfinished:
        sentence = f"Revision {named(unfinished, started[-1].title)} did not end. {sentence}"
    name = "RevisionFailed" if unfinished and not stopping and died.status >= 0 else "Unexpected"
    failure = Failure(name, sentence, unfinished)
    return Application(died.before, applied=applied, unfinished=unfinished, kept=kept, failure=failure)


def is_worth_another_pass(run: Application) -> bool:
    """A lock could not be had, whether env.py said so or hid it, and nothing of that revision is committed."""
    reason = run.failure or run.seen
    return reason is not None and reason.name == "LockTimeout" and not run.kept


def pause_before(attempt: int, chance: float) -> float:
    """Seconds before this attempt (2, 3, …): doubling up to a limit, of which half is left to chance (0..1)."""
    longest = min(FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 2), LONGEST_PAUSE_SECONDS)
    return longest * (0.5 + chance / 2)
