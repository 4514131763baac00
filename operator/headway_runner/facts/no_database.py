"""A look without a database: what would be done to one that is at a given revision. env.py is not run."""

from __future__ import annotations

from dataclasses import replace

from alembic.config import Config
from alembic.script import ScriptDirectory

from headway_contract.planned import is_relative
from headway_runner.connections.database import raw_url
from headway_runner.facts.branches import own_of
from headway_runner.facts.gather import Sight, gather
from headway_runner.facts.offline import Script
from headway_runner.processes.child import Link
from headway_runner.processes.task import Inspection, Task
from headway_runner.project import history
from headway_runner.project.alembic_env import steps_to
from headway_runner.project.config import URL_OPTION, load_config, prepare_process
from headway_runner.project.forks import told_forks
from headway_runner.project.marks import those_in_the_middle
from headway_runner.run.participant import call_guarded
from headway_runner.words.failures import failure_of, print_error
from headway_runner.words.run_failed import RunFailed

BASE = "base"
USUAL_DIALECT = "postgresql"


def inspect_without(link: Link, task: Task) -> Inspection:
    """A phase for a process of its own."""
    sights: list[Sight] = []
    found: list[Inspection] = []
    error = call_guarded(lambda: found.append(_look(task, sights)))
    if error is not None:
        print_error(error)
        return Inspection(failure=failure_of(error, loading=True))
    if not sights:
        return found[0]
    link.tell_before(found[0])
    return replace(found[0], facts=gather(sights, len(task.request.databases)))


def _look(task: Task, sights: list[Sight]) -> Inspection:
    prepare_process(task)
    config = load_config(task)
    directory = ScriptDirectory.from_config(config)
    history.load(directory)
    start = task.database.starts_from
    heads = () if start == BASE else history.resolve(directory, start, [])
    steps = steps_to(directory, task.target, heads)
    target = history.resolve(directory, task.target, steps)
    if steps:
        script = Script(config, directory, {}, _dialect(task, config), None, heads)
        own = None if task.target == "heads" else own_of(directory, target)
        sights.append(Sight(script, tuple(steps), own, True, None))
    return Inspection(
        current=heads,
        starts=(tuple(sorted(heads)),),
        target=target,
        absolute_target=target[0] if is_relative(task.target) else task.target,
        pending=history.all_pending(steps),
        notices=told_forks(directory, (task.target,), steps),
        warnings=those_in_the_middle(steps),
    )


def _dialect(task: Task, config: Config) -> str:
    """Of the URL that was given, else of the project's configuration, else PostgreSQL."""
    try:
        url = raw_url(task.database)
    except RunFailed:
        url = None
    if url is not None:
        return url.get_backend_name()
    name = (config.get_main_option(URL_OPTION) or "").partition(":")[0].partition("+")[0]
    return name if name in ("postgresql", "mysql", "mariadb", "sqlite") else USUAL_DIALECT
