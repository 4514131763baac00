"""The status that says where a run stands: phase, progress, conditions, history."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from headway_contract.result import shorten
from headway_operator.api.conditions import (
    BEHIND_THE_GATE,
    OWN_CONDITIONS,
    OwnCondition,
    State,
    conditions_for,
    with_transition_times,
)
from headway_operator.api.reasons import reason_of
from headway_operator.api.status import (
    DatabasePhase,
    DatabaseStatus,
    HistoryEntry,
    PlanStatus,
    Progress,
    Run,
    Status,
)
from headway_operator.planner import direction
from headway_operator.planner.abort import ABORTED
from headway_operator.planner.approval import approved_condition
from headway_operator.planner.explain import stamp
from headway_operator.planner.follow import WAS_THERE, Standing
from headway_operator.planner.gates import Blocked
from headway_operator.planner.refused_starts import told
from headway_operator.planner.retries import obstacle_of
from headway_operator.planner.rollouts import waited_for
from headway_operator.planner.run import CurrentRun
from headway_operator.planner.run_before import without_work
from headway_operator.planner.snapshot import Snapshot
from headway_operator.planner.strays import LEFT_BEHIND, waits_for_a_pod

COLUMN_CHARACTERS = 1024
"""Of the column Message. What to type comes last in a message, so of a longer one the middle is left out."""
SECOND = timedelta(seconds=1)
"""What the times of Kubernetes are counted in."""


def refuse(snapshot: Snapshot, blocked: Blocked) -> Status:
    """The status of a specification that cannot be run: what was known of earlier runs stays."""
    old = without_work(snapshot, snapshot.migration.status)
    nothing = ("Unknown", blocked.reason, "there is no plan for this specification")
    own = dict.fromkeys(OWN_CONDITIONS, nothing)
    return _assemble(snapshot, old, blocked.state, blocked.reason, blocked.message, own)


def conclude(
    snapshot: Snapshot, run: CurrentRun, standing: Standing, blocked: Blocked | None, superseding: bool
) -> Status:
    """The status of this run. One that is held before it began leaves the status of the run before as it was."""
    old = snapshot.migration.status
    state, reason, message = _verdict(snapshot, run, standing, blocked, superseding)
    if state is State.PROGRESSING and not standing.refused:
        if blocked is None and not superseding:
            reason = _obstacle(run) or reason
        pod = waits_for_a_pod(snapshot, standing.databases)
        reason, message = (LEFT_BEHIND, pod) if pod else (reason, message)
    is_held = blocked is not None or superseding or (bool(standing.refused) and state is State.FAILED)
    if run.is_new and not run.jobs and not standing.abort and is_held:
        nothing = ("Unknown", reason, "the plan has not been made yet")
        own = dict.fromkeys(OWN_CONDITIONS, nothing)
        return _assemble(
            snapshot, _answered(snapshot, without_work(snapshot, old)), state, reason, message, own
        )
    over = standing.is_over and not superseding
    own_verdict = (state, reason) if blocked is None else _verdict(snapshot, run, standing, None, False)[:2]
    own_state = own_verdict[0]
    result = ABORTED if ABORTED in own_verdict else str(own_state)
    current = _run(snapshot, run, standing, result if over else "")
    base = replace(
        _answered(snapshot, old),
        run=current,
        plan=standing.plan,
        databases=standing.databases,
        history=_history(snapshot, run, current, message),
    )
    if standing.opens_the_gate and not superseding:
        state = BEHIND_THE_GATE.get(state, state)
    own = {
        "PlanReady": _plan_ready(standing),
        "Approved": approved_condition(run, standing),
        "BackfillComplete": backfill_complete(own_state, standing.databases),
    }
    return _assemble(snapshot, base, state, reason, message, own)


def _assemble(
    snapshot: Snapshot,
    base: Status,
    state: State,
    reason: str,
    message: str,
    own: Mapping[str, OwnCondition],
) -> Status:
    migration = snapshot.migration
    if migration.status.is_ready(migration.generation):
        state = BEHIND_THE_GATE.get(state, state)
    conditions = conditions_for(state, reason, message, own, migration.generation)
    status = replace(
        base,
        observed_generation=migration.generation,
        phase=_phase(state, reason),
        conditions=with_transition_times(conditions, migration.status.conditions, stamp(snapshot.now)),
        last_handled_paused=migration.paused_token,
        last_handled_pace=migration.pace_token,
        last_handled_approve=migration.approve_token,
    )
    return replace(status, progress=_progress(snapshot, status, message))


def _verdict(
    snapshot: Snapshot, run: CurrentRun, standing: Standing, blocked: Blocked | None, superseding: bool
) -> tuple[State, str, str]:
    if blocked is not None:
        goes_on = blocked.hold or blocked.state is State.PROGRESSING
        held = _busy(standing.databases) if goes_on else ""
        return blocked.state, blocked.reason, "; ".join(filter(None, (blocked.message, held)))
    if superseding:
        return State.PROGRESSING, "Stopping", "a Job of the earlier specification ends at its next safe point"
    if standing.aborted:
        return State.FAILED, ABORTED, standing.aborted
    if standing.plan_failed:
        return State.FAILED, standing.plan.reason, standing.plan.message
    if standing.refused:
        return _with_refused_starts(snapshot, run, standing)
    if not standing.plan_is_done:
        return State.PROGRESSING, *_current_planning(standing.plan)
    if standing.is_over:
        return _outcome(standing.databases)
    if standing.held:
        return State.PROGRESSING, "WaitingForHook", _with_hooks(standing)
    if standing.opens_the_gate:
        return State.PROGRESSING, *_work_behind_the_gate(snapshot, run, standing.databases)
    return State.PROGRESSING, *_current_work(standing.databases)


def _obstacle(run: CurrentRun) -> str:
    """What keeps a Job's pod from starting is said as a reason of its own: a person may have to act."""
    found = (obstacle_of(job) for job in run.jobs if job.is_active)
    return next((obstacle[0].name for obstacle in found if obstacle is not None), "")


def _answered(snapshot: Snapshot, status: Status) -> Status:
    """The commands that say something of one run: once they are answered they mean no other."""
    migration = snapshot.migration
    return replace(status, last_handled_retry=migration.retry_token, last_handled_abort=migration.abort_token)


def _outcome(databases: tuple[DatabaseStatus, ...]) -> tuple[State, str, str]:
    failed = [database for database in databases if database.phase is DatabasePhase.FAILED]
    if failed:
        skipped = [database.name for database in databases if database.phase is DatabasePhase.SKIPPED]
        rest = f" Not started because of it: {', '.join(skipped)}." if skipped else ""
        first = failed[0]
        others = f" Failed too: {', '.join(database.name for database in failed[1:])}." if failed[1:] else ""
        return State.FAILED, first.reason or "DatabaseFailed", f"{first.name}: {first.message}{others}{rest}"
    count = _count(len(databases), "database")
    revisions = sum(database.revisions_done or 0 for database in databases)
    if revisions == 0:
        notes = "; ".join(f"{one.name}: {one.message}" for one in databases if one.message != WAS_THERE)
        text = f"nothing to do; {notes}" if notes else f"nothing to do, {count} at the target already"
        return State.SUCCEEDED, "NothingToDo", text
    return State.SUCCEEDED, "Succeeded", f"{count} at the target, {direction.done(databases)}"


def _current_planning(plan: PlanStatus) -> tuple[str, str]:
    return "Retrying" if plan.reason else "Planning", plan.message or "looking at the databases"


def _current_work(databases: tuple[DatabaseStatus, ...]) -> tuple[str, str]:
    waiting = [database for database in databases if database.phase is DatabasePhase.WAITING]
    if waiting:
        return "Retrying", "; ".join(f"{one.name}: {one.message}" for one in waiting)
    is_filling = any(database.phase is DatabasePhase.BACKFILLING for database in databases)
    message = _busy(databases) or "the next database is about to start"
    return "Backfilling" if is_filling else "Migrating", message


def _with_refused_starts(snapshot: Snapshot, run: CurrentRun, standing: Standing) -> tuple[State, str, str]:
    """A failure only once nothing else of the run is at work, or comes without a person."""
    reason, message = told(standing.refused, run.migration.name)
    names = {one.database for one in standing.refused}
    others = tuple(one for one in standing.databases if one.name not in names)
    if any(one.phase.is_working or one.phase is DatabasePhase.WAITING for one in others):
        return State.PROGRESSING, reason, f"{message}; {_current_work(others)[1]}"
    may_go_on = standing.held or snapshot.strays or any(job.is_active for job in run.jobs)
    return State.PROGRESSING if may_go_on else State.FAILED, reason, message


def _work_behind_the_gate(
    snapshot: Snapshot, run: CurrentRun, databases: tuple[DatabaseStatus, ...]
) -> tuple[str, str]:
    """What goes on there; when nothing does, what it waits for."""
    if any(one.phase.is_working or one.phase is DatabasePhase.WAITING for one in databases):
        return _current_work(databases)
    left = _count(sum(one.post_deploy_count for one in databases), "revision")
    missing = waited_for(snapshot, run.spec)
    if missing:
        return "WaitingForRollout", f"{left} waiting until the application is rolled out; {missing}"
    return "PostDeploy", f"{left} to be applied now"


def _with_hooks(standing: Standing) -> str:
    """Which database waits for which hook, and what the others do meanwhile."""
    texts = [f"{one.name}: {one.message}" for one in standing.databases if one.name in standing.held]
    others = _busy(tuple(one for one in standing.databases if one.name not in standing.held))
    return "; ".join(filter(None, (*texts, others)))


def _busy(databases: tuple[DatabaseStatus, ...]) -> str:
    """What each database says that a Job works on."""
    busy = [database for database in databases if database.phase.is_working]
    return "; ".join(f"{one.name}: {one.message or 'its Job is starting'}" for one in busy)


def backfill_complete(state: State, databases: tuple[DatabaseStatus, ...]) -> OwnCondition:
    """``BackfillComplete``: true once every revision is applied, for only then no backfill is left."""
    filling = [one for one in databases if one.phase is DatabasePhase.BACKFILLING]
    if filling:
        return "False", "Backfilling", "; ".join(f"{one.name}: {one.message}" for one in filling)
    if state is not State.SUCCEEDED:
        return "Unknown", "NotDone", reason_of("NotDone").meaning
    records = [record for one in databases for record in one.backfills]
    if not records:
        return "True", "NoBackfill", reason_of("NoBackfill").meaning
    rows = sum(record.rows for record in records)
    return "True", "BackfillsDone", f"{_count(len(records), 'backfill')}, {rows:,} rows"


def _plan_ready(standing: Standing) -> OwnCondition:
    plan = standing.plan
    if standing.plan_failed:
        return "False", plan.reason, plan.message
    if not standing.plan_is_done:
        return "Unknown", *_current_planning(plan)
    if not plan.digest:
        return "True", "NotPlanned", reason_of("NotPlanned").meaning
    return (
        "True",
        "Planned",
        "; ".join(filter(None, (direction.to_do(plan.revisions or 0, standing.databases), plan.message))),
    )


def _run(snapshot: Snapshot, run: CurrentRun, standing: Standing, result: str) -> Run:
    """``result``: how it ended; '' while it goes on."""
    migration, old = snapshot.migration, snapshot.migration.status.run
    started = old if old is not None and not run.is_new else None
    if started is not None and started.completion_time:
        return started
    begun = started.start_time if started else _began(snapshot, run)
    return Run(
        id=run.id,
        identity=run.identity,
        generation=migration.generation,
        revision=run.spec.revision,
        image=run.spec.image,
        start_time=begun,
        completion_time=max(stamp(snapshot.now), begun or "") if result else None,
        result=result,
        abort=standing.abort,
    )


def _began(snapshot: Snapshot, run: CurrentRun) -> str:
    """After every Job of the runs before it, whatever the clocks say: a younger one would tell of a later run."""
    return stamp(max([snapshot.now, *(job.created + SECOND for job in run.other_jobs)]))


def _history(snapshot: Snapshot, run: CurrentRun, current: Run, message: str) -> tuple[HistoryEntry, ...]:
    """The runs that ended, newest first, as many of either kind as the specification keeps."""
    old = snapshot.migration.status
    entries = list(old.history)
    if old.run is not None and run.is_new and not old.run.completion_time:
        ended = replace(old.run, completion_time=stamp(snapshot.now), result="Superseded")
        entries.insert(0, _entry(ended, "a newer specification took its place"))
    if current.completion_time and all(entry.run != current.id for entry in entries):
        entries.insert(0, _entry(current, message))
    good = [entry for entry in entries if entry.result == State.SUCCEEDED]
    bad = [entry for entry in entries if entry.result != State.SUCCEEDED]
    kept = good[: run.spec.successful_runs_history_limit] + bad[: run.spec.failed_runs_history_limit]
    return tuple(entry for entry in entries if entry in kept)


def _entry(run: Run, message: str) -> HistoryEntry:
    return HistoryEntry(
        run.id, run.revision, run.image, run.result, message[:256], run.start_time, run.completion_time
    )


def _phase(state: State, reason: str) -> str:
    """One word for the column: what it is doing when it is doing something, else how it is."""
    doing = {"Planning", "Migrating", "Backfilling", "Retrying", "Stopping", "Aborting", "WaitingForRollout"}
    if reason == ABORTED:
        return reason
    return reason if state in (State.PROGRESSING, State.READY) and reason in doing else str(state)


def _progress(snapshot: Snapshot, status: Status, message: str) -> Progress:
    total = len(status.databases)
    done = sum(database.phase is DatabasePhase.SUCCEEDED for database in status.databases)
    percent = _percent(snapshot.migration.status, status)
    counted = f"{done}/{total}" if total else ""
    busy = [one.job_name for one in status.databases if one.phase.is_working]
    fresh = Progress(
        summary=" · ".join(filter(None, (counted, _shown(percent), filled(status.databases)))),
        percent=percent,
        databases=counted,
        job_name=busy[0] if busy else "",
        message=shorten(message, COLUMN_CHARACTERS),
    )
    old = snapshot.migration.status.progress
    if old is not None and replace(old, updated_time=None) == fresh:
        return old
    return replace(fresh, updated_time=stamp(snapshot.now))


def _shown(percent: int | None) -> str:
    return "" if percent is None else f"{percent}%"


def filled(databases: tuple[DatabaseStatus, ...]) -> str:
    """How far the backfill is that goes on, of several the least: of the run it is only a part of one revision."""
    percents = [one.backfill.percent for one in databases if one.backfill is not None]
    known = [percent for percent in percents if percent is not None]
    return f"backfill {min(known)}%" if known else ""


def _percent(old: Status, new: Status) -> int | None:
    """How far the run is. Within a run it never goes back, though what is to be done may turn out to be more."""
    same_run = old.run is not None and new.run is not None and old.run.id == new.run.id
    before = old.progress.percent if same_run and old.progress is not None else None
    now = _percent_of(new.databases)
    return max((value for value in (before, now) if value is not None), default=None)


def _percent_of(databases: tuple[DatabaseStatus, ...]) -> int | None:
    """By revisions where all are counted, else each database is worth the same."""
    known = [database.revisions_total for database in databases if database.revisions_total is not None]
    if len(known) == len(databases) and sum(known) > 0:
        return min(sum(_done_percents(database) for database in databases) // sum(known), 100)
    parts = [_percent_of_one(database) for database in databases]
    return sum(parts) // len(parts) if known or any(parts) else None


def _done_percents(database: DatabaseStatus) -> int:
    """100 for each revision that is done, and what is done of the backfill in the one that runs."""
    part = database.backfill.percent if database.backfill is not None else None
    return 100 * (database.revisions_done or 0) + (part or 0)


def _percent_of_one(database: DatabaseStatus) -> int:
    if database.phase is DatabasePhase.SUCCEEDED:
        return 100
    total = database.revisions_total
    return min(_done_percents(database) // total, 100) if total else 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
