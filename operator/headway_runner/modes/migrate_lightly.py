"""Mode Migrate with a parent that has loaded neither SQLAlchemy nor Alembic: the run's own process loads them.

Rule: what ends here is a run that did what was planned, which libpq alone has confirmed. For anything else the
parent loads them, too, and goes on as after every other run: with the same looks and the same words.
"""

import os
from dataclasses import replace

from headway_contract.events import Verified
from headway_contract.request import RunRequest
from headway_contract.result import Outcome, RunResult
from headway_runner.looks import light_look
from headway_runner.looks.last_look import End, through_env_is_needed
from headway_runner.modes.attempts import run_until_unlocked
from headway_runner.processes.child import Link
from headway_runner.processes.supervisor import Died, Supervisor
from headway_runner.processes.task import Application, Task, WayBack
from headway_runner.project import stack
from headway_runner.run.verdict import verdict
from headway_runner.words.secrecy import learn_way_back


def migrate_lightly(supervisor: Supervisor, request: RunRequest) -> RunResult:
    """Take the request's one database to its target, as planned."""
    database = request.databases[0]
    task = Task(request, database, None, database.target, looks_itself=True)
    stack.keep()
    run = run_until_unlocked(supervisor, task, lambda one: supervisor.run(apply_as_planned, one))
    if run.before is None and supervisor.stopping is not None:
        return RunResult(Outcome.STOPPED, request.run, database.name)
    return confirmed(supervisor, task, run) or go_on(supervisor, request, run)


def apply_as_planned(link: Link, task: Task) -> Application:
    """A phase for a process of its own. Whatever it raises before the run begins, the parent meets again."""
    link.pass_orders_on(_end)
    if link.stop_requested:
        _end(b"")
    started = stack.load(task.request)
    from headway_runner.modes.passes import apply
    from headway_runner.modes.plan import first_task, without_a_look

    stack.keep()
    if task.looks_itself:
        link.emit(started)
    given = without_a_look(first_task(task.request, task.database))
    given = replace(given, read_only=False, looks_itself=task.looks_itself, tells_way_back=True)
    return apply(link, given)


def _end(order: bytes) -> None:
    """Asked to stop: nothing has begun."""
    os._exit(1)


def confirmed(supervisor: Supervisor, task: Task, run: Application) -> RunResult | None:
    """The result of a run that was seen to have done all that was planned, by a process that ran none of it."""
    way = supervisor.entrusted
    way_back = way if isinstance(way, WayBack) else None
    end = End(run, way_back, supervisor.stopping is not None)
    if run.before is None or way_back is None or through_env_is_needed(end):
        return None
    learn_way_back(dict(way_back.arguments))
    look = replace(task, way_back=way_back)
    found = supervisor.run(light_look.look_lightly, look, last=True, seconds=light_look.SECONDS)
    if found is None or isinstance(found, Died):
        return None
    supervisor.emit(Verified(task.database.name, found.current, 0))
    return verdict(task.request, run.before, run, found, stopping=False)


def go_on(supervisor: Supervisor, request: RunRequest, run: Application) -> RunResult:
    """As a run whose parent has loaded everything before."""
    started = stack.load(request)
    from headway_runner.modes.migrate import go_on_after

    stack.keep()
    if not supervisor.has_started:
        supervisor.emit(started)
    return go_on_after(supervisor, request, run)
