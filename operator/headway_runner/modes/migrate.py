"""Mode Migrate: look, run under the lock, again when a table lock could not be had, then verify with fresh eyes.

Rule: a run that carries out a plan looks itself, under the lock. What it finds is either as planned, or left to a
look: whatever the reason, that is the same look with the same words as without a plan. Of a run that did all that it
was to do libpq alone can confirm that; whatever else there is to say, the look through env.py finds and words.
"""

from dataclasses import replace

from headway_contract.events import Notice, Verified
from headway_contract.request import RunRequest
from headway_contract.result import Failure, Outcome, RunResult
from headway_runner.looks import first_look, light_look
from headway_runner.looks.after_a_command import as_the_run_left_it, is_needed
from headway_runner.looks.last_look import End, through_env_is_needed
from headway_runner.modes import preload
from headway_runner.modes.attempts import run_until_unlocked
from headway_runner.modes.passes import apply, inspect, look_again
from headway_runner.modes.plan import announce, as_plan, first_task, is_ahead, look, without_a_look
from headway_runner.processes.supervisor import Died, Supervisor
from headway_runner.processes.task import Application, Inspection, Task, WayBack
from headway_runner.project import stack
from headway_runner.run.verdict import verdict
from headway_runner.statements.index_catalog import ADVICE
from headway_runner.words.secrecy import learn_way_back


def migrate_database(supervisor: Supervisor, request: RunRequest) -> RunResult:
    """Take the request's one database to its target."""
    task = first_task(request, request.databases[0])
    if first_look.is_needed(request):
        return migrate_after_a_look(supervisor, task)
    return migrate_as_planned(supervisor, task)


def migrate_as_planned(supervisor: Supervisor, task: Task) -> RunResult:
    """With no look before the run; with one where it wrote nothing."""
    planned = task.database.planned
    asks_libpq = planned is not None and planned.env.libpq and not task.downgrade
    task_of_run = replace(without_a_look(task), read_only=False, looks_itself=True, tells_way_back=asks_libpq)
    run = run_until_unlocked(supervisor, task_of_run, lambda one: supervisor.run(apply, one))
    if run.before is not None:
        task = replace(without_a_look(task), identity=run.before.identity)
        return conclude(supervisor, task, run.before, run)
    if supervisor.stopping is not None:
        return RunResult(Outcome.STOPPED, task.request.run, task.database.name)
    return migrate_after_a_look(supervisor, task)


def migrate_after_a_look(supervisor: Supervisor, task: Task) -> RunResult:
    """Look, judge, and run what is pending."""
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
    asks_libpq = before.libpq and before.contexts == 1 and not (request.command or task.downgrade)
    if not (asks_libpq or stack.is_loaded()):
        # The run and the last look both go through env.py.
        supervisor.emit(preload.load(request))
        stack.keep()
    run = run_until_unlocked(
        supervisor,
        replace(task, read_only=False, expected=expected, tells_way_back=asks_libpq),
        lambda one: supervisor.run(apply, one),
    )
    return conclude(supervisor, task, before, run)


def conclude(supervisor: Supervisor, task: Task, before: Inspection, run: Application) -> RunResult:
    """Verify, then decide."""
    interrupted = bool(run.unfinished) or run.failure is not None
    # What waits behind the gate is counted by the look itself.
    reached = () if run.post_deploy else run.heads
    after = seen_by_libpq(supervisor, task, run) or verify(
        supervisor, replace(task, contexts=run.contexts, reached=reached, settle=interrupted)
    )
    if task.request.command and is_needed(run, after):
        after = ask_the_database(supervisor, task, run, after)
    name = task.database.name
    if after.failure is None:
        supervisor.emit(Verified(name, after.current, len(after.pending)))
    for index in sorted(set(after.invalid_indexes).intersection(before.invalid_indexes)):
        supervisor.emit(
            Notice(
                name, f"The index {index} was invalid before this run and still is: {ADVICE}.", warning=True
            )
        )
    return verdict(task.request, before, run, after, supervisor.stopping is not None)


def seen_by_libpq(supervisor: Supervisor, task: Task, run: Application) -> Inspection | None:
    """A process that has loaded nothing of the run looks again; None: it did not see all done that was to be."""
    way = supervisor.entrusted
    end = End(run, way if isinstance(way, WayBack) else None, supervisor.stopping is not None)
    if end.way_back is None or through_env_is_needed(end):
        return None
    learn_way_back(dict(end.way_back.arguments))
    look = replace(task, way_back=end.way_back)
    found = supervisor.run(light_look.look_lightly, look, last=True, seconds=light_look.SECONDS)
    if found is None or isinstance(found, Died):
        return None
    # It has one context, which is the one that libpq has asked for.
    return replace(found, seen=run.ended)


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
    if not task.database.tells_url:
        return as_the_run_left_it(run, after, after)
    found = supervisor.run(look_again, replace(task, tables=run.tables), last=True)
    return after if isinstance(found, Died) else as_the_run_left_it(run, after, found)
