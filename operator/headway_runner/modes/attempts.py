"""The attempts at a run: once more after a pause, while table locks cannot be had and nothing is half done."""

import random
import time
from collections.abc import Callable
from dataclasses import replace

from headway_contract.backfill import BackfillRecord
from headway_contract.events import PassRetried, RevisionApplied, RevisionStarted
from headway_contract.result import Failure
from headway_contract.sentences import sentence
from headway_runner.processes.supervisor import Died, Supervisor
from headway_runner.processes.task import Application, Inspection, Task
from headway_runner.words.titles import named

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
Attempt = Callable[[Task], Application | Died]
"""One of them, in a process of its own."""


def run_until_unlocked(
    supervisor: Supervisor, task: Task, attempt_it: Attempt, clock: Callable[[], float] = time.monotonic
) -> Application:
    """Run; run again after a pause while table locks cannot be had and nothing half-done stands in the way.

    A run that looks itself and saw nothing that may run is not run again: it wrote nothing. What is limited is the
    waiting, with the statement's own: it begins with the first lock that could not be had, and anew after a pass that
    has applied something.
    """
    before: Inspection | None = None
    applied: tuple[str, ...] = ()
    backfills: tuple[BackfillRecord, ...] = ()
    attempt = tries = 0
    since = 0.0
    while True:
        attempt += 1
        begin = clock()
        run = run_once(supervisor, task, attempt_it)
        end = clock()
        before = before or run.before
        # Revisions of one transaction are told in each pass, and undone in each.
        if not tries or set(run.applied) - set(applied):
            tries, since = 0, max(begin, end - task.request.lock_timeout_seconds)
        tries += 1
        applied = tuple(dict.fromkeys((*applied, *run.applied)))
        backfills += run.backfills
        run = replace(run, applied=applied, backfills=backfills, before=before)
        if task.looks_itself and before is None:
            return run
        wait = pause_before(tries + 1, random.random())
        if supervisor.stopping is not None or not is_worth_another_pass(run):
            return run
        seconds = end - since
        if seconds + wait > task.request.lock_give_up_seconds:
            return given_up(run, tries, seconds)
        reason = (run.failure or run.seen or Failure("LockTimeout", "")).message
        supervisor.emit(PassRetried(task.database.name, reason, attempt, round(wait, 2)))
        if not supervisor.pause(wait):
            return run
        task = replace(task, looks_itself=False)


def given_up(run: Application, attempts: int, seconds: float) -> Application:
    """The same run, its failure saying how often and how long it was tried."""
    tried = f"Given up after {attempts} attempt{'' if attempts == 1 else 's'} in {seconds:.0f} s."

    def told(failure: Failure | None) -> Failure | None:
        return None if failure is None else replace(failure, message=f"{sentence(failure.message)} {tried}")

    return replace(run, failure=told(run.failure), seen=told(run.seen))


def run_once(supervisor: Supervisor, task: Task, attempt_it: Attempt) -> Application:
    """One pass in a fresh process."""
    found = attempt_it(task)
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
