"""Mode Plan, and the first look of mode Migrate: what would be done to each database; nothing is changed."""

from collections.abc import Callable
from dataclasses import replace

from headway_contract.events import Notice, Planned
from headway_contract.planned import NOT_KNOWN, EnvFacts, is_relative
from headway_contract.request import DatabaseRequest, Mode, RunRequest, WhenAhead
from headway_contract.result import LIMIT_BYTES, DatabasePlan, Failure, Outcome, Plan, RunResult
from headway_contract.wire import sha256_of, split_document
from headway_runner.facts.bounds import END_SECONDS, PLAN_SECONDS
from headway_runner.modes.passes import inspect, inspect_without
from headway_runner.processes.child import Link
from headway_runner.processes.supervisor import Died, Supervisor
from headway_runner.processes.task import Inspection, Task
from headway_runner.project.targets import few
from headway_runner.statements.index_catalog import told_left
from headway_runner.words import states
from headway_runner.words.secrecy import masked

WRITES_IN_PLAN = (
    "env.py writes to the database before any revision runs, so it could not be looked at read-only; "
    "what env.py itself writes was written."
)
NO_WAY_BACK = "No plan has shown what taking it back would do, so nothing was done."


def first_task(request: RunRequest, database: DatabaseRequest) -> Task:
    """The task of a first look."""
    planned = database.planned
    if planned is None:
        return Task(request, database, database.target, read_only=True)
    # A relative target meant one revision when it was planned; counted again it would lead further.
    target = planned.target[0] if is_relative(database.target) else database.target
    return Task(request, database, target, downgrade=planned.downgrade, read_only=True)


def without_a_look(task: Task) -> Task:
    """The same task for a run that looks itself: what a look would find out of env.py is what the plan's has."""
    env = NOT_KNOWN if task.database.planned is None else task.database.planned.env
    return replace(
        task, asynchronous=env.asynchronous, read_only=not env.writes, one_transaction=env.one_transaction
    )


def look(supervisor: Supervisor, task: Task) -> tuple[Task, Inspection]:
    """Inspect in a fresh process, as often as it takes; the task as later passes should have it."""
    inspection = inspect_once(supervisor, task)
    if inspection.failure is not None and needs_async_driver(inspection.failure):
        task = replace(task, asynchronous=True, identity=inspection.identity)
        inspection = inspect_once(supervisor, task)
    if task.read_only and inspection.failure is not None and inspection.failure.sqlstate == states.READ_ONLY:
        task = replace(task, read_only=False, identity=inspection.identity)
        inspection = inspect_once(supervisor, task)
        inspection = replace(inspection, warnings=(WRITES_IN_PLAN, *inspection.warnings))
    task = replace(task, identity=inspection.identity, one_transaction=inspection.one_transaction)
    if inspection.failure is None:
        # Only a plan finds a way back: a run takes nothing back that no plan has shown.
        is_plan = task.request.mode is Mode.PLAN
        if is_plan and inspection.past_target and task.request.when_ahead is WhenAhead.DOWNGRADE:
            task = replace(task, downgrade=True)
            inspection = inspect_once(supervisor, task)
        else:
            task = replace(task, target=inspection.absolute_target or task.target)
    return task, judge(task, with_indexes(inspection))


def with_indexes(inspection: Inspection) -> Inspection:
    """Invalid indexes are told before anything is done, also when there is nothing to do."""
    told = told_left(inspection.invalid_indexes)
    return replace(inspection, warnings=(*inspection.warnings, *told))


def needs_async_driver(failure: Failure) -> bool:
    """env.py makes an asynchronous engine, and SQLAlchemy says that the URL's driver is none for it."""
    return "requires an async driver" in failure.message


def inspect_once(
    supervisor: Supervisor, task: Task, phase: Callable[[Link, Task], Inspection] = inspect
) -> Inspection:
    """One look; a process that dies is a failure like others."""
    found = supervisor.run(phase, task, killable=True, seconds_after_look=PLAN_SECONDS + END_SECONDS)
    if not isinstance(found, Died):
        return found
    if found.before is not None:
        return replace(found.before, notices=(*found.before.notices, untold(found)))
    return Inspection(failure=failure_of_death(found))


def untold(died: Died) -> str:
    """The notice of a plan without facts: the look was done, and trying to write the revisions as SQL ended it."""
    return (
        "What the revisions would do cannot be told: the process that wrote them as SQL, without running them, "
        f"came to no end. {died.sentence}"
    )


def failure_of_death(died: Died) -> Failure:
    """A process that was killed had bad luck; one that ended itself was ended by what the project runs."""
    if died.status < 0:
        return Failure("Unexpected", died.sentence)
    return Failure(
        "ProjectFailed",
        f"env.py, or something that it imports, ended the process with exit code {died.status} "
        "and without a word. It must return when it is done.",
    )


def judge(task: Task, inspection: Inspection) -> Inspection:
    """Apply ``whenAhead``: is a database that is past the image or the target fine, or a failure?"""
    wish = task.request.when_ahead
    if inspection.failure is not None or not is_ahead(inspection):
        return inspection
    what = describe_ahead(task, inspection)
    if inspection.unknown and wish is WhenAhead.DOWNGRADE:
        return replace(inspection, failure=Failure("CannotDowngrade", what))
    if wish is WhenAhead.DOWNGRADE:
        return replace(inspection, failure=Failure("PlanChanged", f"{what} {NO_WAY_BACK}"))
    if wish is WhenAhead.FAIL:
        return replace(inspection, failure=Failure("DatabaseAhead", what))
    # Something may be pending all the same: in another of several contexts.
    return replace(inspection, notices=(*inspection.notices, f"{what} This is accepted."))


def is_ahead(inspection: Inspection) -> bool:
    """Past what the image or the target asks for."""
    return bool(inspection.unknown) or inspection.past_target


def describe_ahead(task: Task, inspection: Inspection) -> str:
    """The fact, as a sentence."""
    if inspection.unknown:
        return (
            f"The database is at {', '.join(inspection.unknown)}, which this project does not contain "
            f"(its newest: {few(inspection.image_heads) or 'none'}); "
            "whether the project's own revisions are among what was applied cannot be seen from here."
        )
    target = inspection.absolute_target or task.database.target
    return f"The database is at {', '.join(inspection.current)}, which is past the target {target}."


def as_plan(task: Task, inspection: Inspection) -> DatabasePlan:
    """The plan of one database as the operator reads it."""
    return DatabasePlan(
        name=task.database.name,
        current=inspection.current,
        target=inspection.target,
        pending=inspection.pending,
        downgrade=task.downgrade,
        ahead=is_ahead(inspection) and inspection.failure is None,
        notices=(*inspection.warnings, *inspection.notices),
        warnings=len(inspection.warnings),
        failure=inspection.failure,
        starts=inspection.starts,
        env=EnvFacts(
            contexts=inspection.contexts,
            one_transaction=task.one_transaction,
            writes=not task.read_only,
            asynchronous=task.asynchronous,
            libpq=inspection.libpq,
        ),
        facts=inspection.facts,
    )


def announce(supervisor: Supervisor, plan: DatabasePlan) -> None:
    """Tell a plan as events."""
    for place, notice in enumerate(plan.notices):
        supervisor.emit(Notice(plan.name, notice, warning=place < plan.warnings))
    if plan.failure is None:
        revisions = tuple(one.revision for one in plan.pending)
        supervisor.emit(Planned(plan.name, plan.current, revisions, len(revisions)))


def plan_databases(supervisor: Supervisor, request: RunRequest) -> RunResult:
    """Look at every database, also after one has failed."""
    plans = []
    for database in request.databases:
        plan = plan_database(supervisor, request, database)
        if supervisor.stopping is not None:
            return RunResult(Outcome.STOPPED, request.run)
        announce(supervisor, plan)
        plans.append(plan)
    return planned(supervisor, request, Plan(tuple(plans)))


def plan_database(supervisor: Supervisor, request: RunRequest, database: DatabaseRequest) -> DatabasePlan:
    """The plan of one database, with its failure if it has one; masked before anybody hashes or splits it."""
    if database.starts_from:
        task = Task(request, database, database.target)
        return masked(as_plan(task, inspect_once(supervisor, task, inspect_without)))
    return masked(as_plan(*look(supervisor, first_task(request, database))))


def planned(supervisor: Supervisor, request: RunRequest, plan: Plan) -> RunResult:
    """The result with the plan in it; a plan that does not fit goes before it as a document."""
    failed = next((one for one in plan.databases if one.failure is not None), None)
    result = RunResult(
        Outcome.SUCCEEDED if failed is None else Outcome.FAILED,
        request.run,
        database="" if failed is None else failed.name,
        pending_count=sum(len(one.pending) for one in plan.databases),
        failure=None if failed is None else failed.failure,
        plan=plan,
    )
    document = plan.to_json()
    if len(document) <= LIMIT_BYTES and _fits(result):
        return result
    for part in split_document(document):
        supervisor.emit(part)
    return replace(result, plan=plan.without_facts(), plan_sha256=sha256_of(document))


def _fits(result: RunResult) -> bool:
    """Whether it can be told with all that is in its plan."""
    told = RunResult.from_json(result.to_json())
    return told is not None and not told.plan_sha256
