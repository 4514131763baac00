"""What holds of the planner's answer to any snapshot at all, also to ones that should not come about.

The same snapshots each time; ``HYPOTHESIS_PROFILE=thorough`` takes many more, new ones each time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headway_contract.drift_report import DriftReport
from headway_contract.result import Outcome
from headway_operator.api.hooks import Hook, HookType, Point
from headway_operator.api.migration import (
    ABORT_ANNOTATION,
    APPROVE_ANNOTATION,
    FINALIZER,
    Database,
    DriftSettings,
    Migration,
    PostDeploy,
    Workload,
)
from headway_operator.api.status import (
    Condition,
    DatabasePhase,
    DatabaseStatus,
    DriftStatus,
    PlanStatus,
    Run,
    Status,
)
from headway_operator.planner.actions import (
    AddFinalizer,
    DeleteJob,
    RemoveFinalizer,
    StartJob,
    SteerJob,
    StopJob,
)
from headway_operator.planner.explain import stamp
from headway_operator.planner.gates import first_block
from headway_operator.planner.plan import plan
from headway_operator.planner.run import current_run
from headway_operator.planner.snapshot import JobState, RefusedStart, Snapshot, Stage
from support.builders import NOW, a_job, a_migration, a_plan, a_pod, a_result, a_rollout
from support.fix_depth import THOROUGH, examples
from support.judges import objections

NAMES = ("main", "analytics", "audit")
EAR = Hook("ear", HookType.NOTIFY, (Point.AFTER_REVISION, Point.ON_READY, Point.ON_FAILURE), url="https://x")
WORKLOAD = Workload(deployment="shop")

READY = Condition("Ready", "True", "GateOpen", "it may", 1, stamp(NOW - timedelta(minutes=3)))
ROLLED_OUT = a_rollout(WORKLOAD)
ROLLING_OUT = a_rollout(WORKLOAD, updated=1)

pytestmark = pytest.mark.timeout(1800 if THOROUGH else 100)

bounded = settings(
    max_examples=examples(70, thorough=3000),
    derandomize=not THOROUGH,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)

seldom = st.integers(0, 15).map(lambda number: number == 0)
moments = st.integers(-700, 700).map(lambda seconds: NOW + timedelta(seconds=seconds))
maybe_stamp = st.none() | moments.map(stamp)
results = st.sampled_from(
    [
        None,
        a_result(),
        a_result(plan=a_plan(main=["a1"], analytics=[], audit=["b1", "b2"])),
        a_result(plan=a_plan({"main": ["a2"], "audit": ["b2"]}, main=["a1"], analytics=[], audit=[])),
        a_result(post_deploy_count=2),
        a_result(drift=DriftReport(1, ("column a is missing",), "sha256:1")),
        a_result(Outcome.STOPPED),
        a_result(failure="LockTimeout"),
        a_result(failure="RevisionFailed"),
        a_result(failure="SomethingNewer"),
    ]
)
pods = st.none() | st.builds(
    a_pod,
    started=st.booleans(),
    succeeded=st.booleans(),
    age=st.sampled_from([timedelta(), timedelta(hours=1)]),
    waiting_reason=st.sampled_from(
        [
            "",
            "ImagePullBackOff",
            "CreateContainerConfigError",
            "CreateContainerError",
            "Unschedulable",
            "NewWord",
        ]
    ),
    silent_since=st.none() | moments,
    taken_reason=st.sampled_from(["", "Evicted", "NodeShutdown"]),
    stop=st.booleans(),
)


annotations = st.fixed_dictionaries(
    {},
    optional={
        APPROVE_ANNOTATION: st.sampled_from(["sha256:1", "sha256:2"]),
        ABORT_ANNOTATION: st.sampled_from(["", "", "1", "2", "old/1"]),
    },
).map(lambda given: {name: value for name, value in given.items() if value})


@st.composite
def resources(draw) -> Migration:
    parts = tuple(draw(st.permutations(NAMES)))[: draw(st.integers(1, 3))]
    databases = [
        Database(name, depends_on=tuple(draw(st.sets(st.sampled_from(parts[:at]))) if at else ()))
        for at, name in enumerate(parts)
    ]
    return a_migration(
        *databases,
        parallel=draw(st.integers(1, 3)),
        on_failure=draw(st.sampled_from(["Stop", "Continue"])),
        plan=draw(st.sampled_from(["Always", "Never"])),
        approval=draw(st.sampled_from(["Automatic", "Automatic", "Required"])),
        retries=draw(st.integers(0, 3)),
        suspend=draw(seldom),
        paused="1" if draw(seldom) else "",
        retry=draw(st.sampled_from(["", "1"])),
        annotations=draw(annotations),
        finalizer=draw(st.booleans()),
        deleting=draw(seldom),
        problem="spec.image is missing" if draw(seldom) else "",
        hooks=(EAR,) if draw(seldom) else (),
        post_deploy=draw(st.sampled_from([PostDeploy(), PostDeploy((WORKLOAD,))])),
        successful_runs_history_limit=draw(st.integers(0, 2)),
        drift=DriftSettings(draw(st.sampled_from(["Never", "AfterRun"]))),
    )


@st.composite
def statuses(draw, resource: Migration) -> Status:
    run = current_run(Snapshot(NOW, resource), resource.spec)
    database = st.builds(
        DatabaseStatus,
        name=st.just("main"),
        phase=st.sampled_from(DatabasePhase),
        stage=st.sampled_from([Stage.MIGRATE, Stage.POST_DEPLOY]),
        attempt=st.integers(0, 3),
        failures=st.integers(0, 3),
        reason=st.sampled_from(["", "", "RevisionFailed", "LockTimeout"]),
        retry_time=maybe_stamp,
        revisions_done=st.none() | st.integers(0, 3),
        revisions_total=st.none() | st.integers(3, 5),
        drift=st.sampled_from([None, DriftStatus(digest="sha256:1", message="as it was told before")]),
    )
    begun = PlanStatus(attempt=draw(st.integers(1, 3)), failures=1, message="as it was told before")
    plans = st.sampled_from(
        [
            PlanStatus(),
            begun,
            replace(begun, retry_time=draw(moments.map(stamp))),
            replace(begun, reason="PodFailed", retry_time=draw(moments.map(stamp))),
            replace(begun, reason="PodFailed", completion_time=stamp(NOW)),
            replace(begun, digest="sha256:1", completion_time=stamp(NOW)),
        ]
    )
    identity = draw(st.sampled_from([run.identity, "another"]))
    id_ = draw(st.sampled_from([run.id, "old"]))
    known = Run(id_, identity, start_time=stamp(NOW), abort=draw(st.sampled_from(["", "", "", "1"])))
    return Status(
        observed_generation=draw(st.integers(-1, 1)),
        run=draw(st.sampled_from([None, known])),
        plan=draw(st.none() | plans),
        databases=tuple(replace(draw(database), name=name) for name in NAMES if draw(st.booleans())),
        conditions=(READY,) if draw(st.booleans()) else (),
        last_handled_abort=draw(st.sampled_from(["", "1"])),
    )


@st.composite
def jobs(draw, resource: Migration):
    database = draw(st.sampled_from(["", *NAMES]))
    stage = draw(st.sampled_from([Stage.MIGRATE, Stage.POST_DEPLOY])) if database else Stage.PLAN
    job = a_job(resource, database, draw(st.integers(1, 3)), stage=stage)
    run = draw(st.sampled_from([job.run, "old", "older"]))
    return replace(
        job,
        run=run,
        name=f"{job.name}-{run}",
        identity=draw(st.sampled_from([job.identity, "another"])),
        state=draw(st.sampled_from(JobState)),
        created=draw(moments),
        reason=draw(st.sampled_from(["", "DeadlineExceeded", "BackoffLimitExceeded"])),
        deleting=draw(st.booleans()),
        result=draw(results),
        pod=draw(pods),
    )


@st.composite
def snapshots(draw) -> Snapshot:
    resource = draw(resources())
    if resource.spec is None:
        return Snapshot(NOW, resource)
    found = draw(
        st.lists(jobs(resource), max_size=4, unique_by=(lambda job: job.name, lambda job: job.created))
    )
    rollouts = draw(st.sampled_from([(), (ROLLED_OUT,), (ROLLING_OUT,)]))
    status = draw(statuses(resource))
    snapshot = Snapshot(NOW, replace(resource, status=status), tuple(found), rollouts=rollouts)
    return replace(snapshot, refused=tuple(one for one in refusals_of(snapshot) if draw(st.booleans())))


def refusals_of(snapshot: Snapshot) -> tuple[RefusedStart, ...]:
    """What is known once the API server has refused every Job that this look would start."""
    return tuple(
        RefusedStart(start.name, start.database, "JobRefused", "exceeded quota")
        for start in plan(snapshot).starts
    )


def done(snapshot: Snapshot) -> Snapshot:
    """The snapshot after the decision was carried out, a Job that was deleted being still on its way out.

    The API server's clock makes every Job, so a new one is never older than those that are there.
    """
    decision = plan(snapshot)
    created = max([NOW, *(job.created for job in snapshot.jobs)])
    resource, found = snapshot.migration, {job.name: job for job in snapshot.jobs}
    for action in (*decision.actions, *decision.sweep):
        if isinstance(action, AddFinalizer | RemoveFinalizer):
            held = (FINALIZER,) if isinstance(action, AddFinalizer) else ()
            resource = replace(resource, finalizers=held)
        elif isinstance(action, StartJob):
            job = a_job(resource, action.database, action.attempt, stage=action.stage)
            found[action.name] = replace(
                job, name=action.name, run=action.run, identity=action.identity, created=created
            )
        elif isinstance(action, DeleteJob):
            found[action.name] = replace(found[action.name], deleting=True)
        elif isinstance(action, StopJob):
            pod = replace(found[action.name].pod, control=a_pod(stop=True).control)
            found[action.name] = replace(found[action.name], pod=pod)
        elif isinstance(action, SteerJob):
            pod = replace(found[action.name].pod, control=action.control)
            found[action.name] = replace(found[action.name], pod=pod)
    return replace(snapshot, migration=replace(resource, status=decision.status), jobs=tuple(found.values()))


def every_snapshot_has_one_decision(snapshot: Snapshot) -> None:
    assert plan(snapshot) == plan(snapshot)


def a_database_with_an_active_job_gets_no_other(snapshot: Snapshot) -> None:
    starts = plan(snapshot).starts
    busy = {job.database for job in snapshot.jobs if job.is_active}
    assert len({start.database for start in starts}) == len(starts)
    assert not busy & {start.database for start in starts}


def the_order_of_the_list_and_the_room_are_kept(snapshot: Snapshot) -> None:
    decision = plan(snapshot)
    started = {start.database for start in decision.starts if start.stage is not Stage.PLAN}
    if not started:
        return
    spec = snapshot.migration.spec
    phases = {one.name: one.phase for one in decision.status.databases}
    past = {one.name for one in decision.status.databases if one.is_past_the_gate}
    is_open = past == set(phases)
    done = {name for name, phase in phases.items() if phase is DatabasePhase.SUCCEEDED} if is_open else past
    working = [phase for phase in phases.values() if phase.is_working]
    assert len(working) <= max(spec.strategy.max_parallel, len(working) - len(started))
    last = max(at for at, one in enumerate(spec.databases) if one.name in started)
    being_removed = {job.database for job in snapshot.jobs if job.is_active}
    being_removed |= {one.database for one in snapshot.refused}
    for one in spec.databases[:last]:
        waits_for_another = not done.issuperset(one.depends_on)
        waits_for_the_gate = one.name in past and not is_open
        left_behind = phases[one.name] is DatabasePhase.PENDING and one.name not in being_removed
        left_behind = left_behind and not waits_for_the_gate
        assert not left_behind or waits_for_another
    for one in spec.databases:
        if one.name in started and phases[one.name] is DatabasePhase.MIGRATING and one.depends_on:
            first_attempt = next(s.attempt == 1 for s in decision.starts if s.database == one.name)
            assert done.issuperset(one.depends_on) or not first_attempt


def nothing_begins_behind_a_gate_that_is_not_told_to_be_open(snapshot: Snapshot) -> None:
    resource = snapshot.migration
    begun = {one.name for one in resource.status.databases if one.phase is DatabasePhase.WAITING}
    begun |= {job.database for job in snapshot.jobs if job.stage is Stage.POST_DEPLOY}
    starts = [start for start in plan(snapshot).starts if start.stage is Stage.POST_DEPLOY]
    if all(start.database in begun for start in starts):
        return
    assert resource.status.is_ready(resource.generation)
    assert all(one.is_past_the_gate for one in plan(snapshot).status.databases)
    assert not resource.spec.post_deploy.wait_for or ROLLED_OUT in snapshot.rollouts


def a_gate_that_is_open_stays_open_for_this_generation(snapshot: Snapshot) -> None:
    resource = snapshot.migration
    if resource.status.is_ready(resource.generation) and not resource.deleting:
        assert plan(snapshot).status.is_ready(resource.generation)


def no_job_starts_while_the_resource_is_held_deleted_or_another_run_is_active(snapshot: Snapshot) -> None:
    run = current_run(snapshot, snapshot.migration.spec) if snapshot.migration.spec else None
    others = run and any(job.is_active for job in run.other_jobs)
    if snapshot.migration.deleting or first_block(snapshot.migration) or others:
        assert plan(snapshot).starts == ()


def whatever_is_not_over_is_woken_by_something(snapshot: Snapshot) -> None:
    decision, resource = plan(snapshot), snapshot.migration
    reconciling = decision.status.condition("Reconciling")
    if resource.deleting or first_block(resource):
        return
    succeeded = decision.status.condition("Succeeded")
    if reconciling.status == "False" and succeeded.status != "Unknown":
        return
    if succeeded.reason == "WaitingForApproval":
        return
    assert decision.wake_after is not None


def a_database_is_touched_first_only_by_a_plan_that_was_approved(snapshot: Snapshot) -> None:
    decision, resource = plan(snapshot), snapshot.migration
    if resource.spec is None or resource.spec.plan.approval == "Automatic":
        return
    run = current_run(snapshot, resource.spec)
    begun = run.has_touched_databases or (
        not run.is_new and any(one.attempt for one in resource.status.databases)
    )
    if not begun and any(start.stage is Stage.MIGRATE for start in decision.starts):
        assert decision.status.plan.digest == resource.annotations[APPROVE_ANNOTATION]


def nobody_is_asked_to_look_again_at_once(snapshot: Snapshot) -> None:
    wake_after = plan(snapshot).wake_after
    assert wake_after is None or wake_after > timedelta()


def doing_it_and_looking_again_changes_nothing(snapshot: Snapshot) -> None:
    """But that what is behind the gate begins once the status says that it is open."""
    after = done(snapshot)
    resource, generation = after.migration, after.migration.generation
    if resource.status.is_ready(generation) and not snapshot.migration.status.is_ready(generation):
        assert all(start.stage is Stage.POST_DEPLOY for start in plan(after).starts)
        after = done(after)
    again = plan(after)
    assert (again.starts, again.sweep) == ((), ())
    assert not [
        one for one in again.actions if isinstance(one, SteerJob | StopJob | DeleteJob | AddFinalizer)
    ]
    assert again.status == after.migration.status


def a_job_that_was_refused_is_said_to_be_and_tried_again(snapshot: Snapshot) -> None:
    decision = plan(snapshot)
    if not snapshot.refused:
        return
    assert not {one.job_name for one in snapshot.refused} & {start.name for start in decision.starts}
    assert decision.status.condition("Succeeded").reason == "JobRefused"
    assert decision.wake_after <= timedelta(seconds=60)
    run = decision.status.run
    is_this_one = run is not None and run.id == current_run(snapshot, snapshot.migration.spec).id
    assert not (is_this_one and run.completion_time)


def a_refusal_changes_nothing_that_the_look_has_found_of_others(snapshot: Snapshot) -> None:
    if not snapshot.refused:
        return
    free, held = plan(replace(snapshot, refused=())).status, plan(snapshot).status
    if held.run is None or free.run.id != held.run.id:
        return
    names = {one.database for one in snapshot.refused}
    assert [one for one in held.databases if one.name not in names] == [
        one for one in free.databases if one.name not in names
    ]


def what_is_over_stays_over(snapshot: Snapshot) -> None:
    after = done(snapshot)
    run = after.migration.status.run
    if after.migration.deleting or run is None or not run.completion_time:
        return
    again = plan(replace(after, now=NOW + timedelta(days=2), jobs=()))
    if current_run(after, after.migration.spec).id == run.id:
        assert again.status.run == run
        assert again.starts == ()


def every_status_is_one_that_the_judges_accept(snapshot: Snapshot) -> None:
    if not snapshot.migration.deleting:
        assert list(objections(plan(snapshot).status, snapshot.migration.generation)) == []


def a_job_that_may_change_a_database_only_starts_behind_the_finalizer(snapshot: Snapshot) -> None:
    decision = plan(snapshot)
    kinds = [type(action) for action in decision.actions]
    changes = any(start.stage is not Stage.PLAN for start in decision.starts)
    if changes and not snapshot.migration.has_finalizer:
        assert kinds.index(AddFinalizer) < kinds.index(StartJob)
    if any(job.is_active for job in snapshot.jobs):
        assert RemoveFinalizer not in kinds


CLAIMS = (
    every_snapshot_has_one_decision,
    a_database_with_an_active_job_gets_no_other,
    the_order_of_the_list_and_the_room_are_kept,
    nothing_begins_behind_a_gate_that_is_not_told_to_be_open,
    a_gate_that_is_open_stays_open_for_this_generation,
    no_job_starts_while_the_resource_is_held_deleted_or_another_run_is_active,
    whatever_is_not_over_is_woken_by_something,
    a_database_is_touched_first_only_by_a_plan_that_was_approved,
    nobody_is_asked_to_look_again_at_once,
    doing_it_and_looking_again_changes_nothing,
    a_job_that_was_refused_is_said_to_be_and_tried_again,
    a_refusal_changes_nothing_that_the_look_has_found_of_others,
    what_is_over_stays_over,
    every_status_is_one_that_the_judges_accept,
    a_job_that_may_change_a_database_only_starts_behind_the_finalizer,
)


def aborted_while_a_younger_job_of_an_unheard_run_is_there() -> Snapshot:
    """The abort makes a run of its own, which has no Job, so only its time tells that it is the last one."""
    resource = a_migration(suspend=True, paused="1", annotations={ABORT_ANNOTATION: "1"})
    job = a_job(resource, attempt=2)
    own = (replace(job, created=NOW), replace(job, name="shop-plan-2", created=NOW + timedelta(seconds=2)))
    unheard = replace(job, name="shop-plan-old-1", run="old", created=NOW + timedelta(seconds=1))
    known = Run(job.run, "another", start_time=stamp(NOW))
    status = Status(observed_generation=resource.generation, run=known)
    return Snapshot(NOW, replace(resource, status=status), (*own, unheard))


def ready_for_post_deploy_while_an_earlier_migrate_job_has_not_ended() -> Snapshot:
    """Nothing but that Job is in the way of the next part."""
    resource = a_migration(Database("main"))
    earlier = a_job(resource, "main", 1)
    planned = PlanStatus(attempt=1, digest="sha256:1", completion_time=stamp(NOW))
    waiting = DatabaseStatus("main", DatabasePhase.PENDING, stage=Stage.POST_DEPLOY, attempt=0)
    known = Run(earlier.run, earlier.identity, start_time=stamp(NOW))
    status = Status(observed_generation=1, run=known, plan=planned, databases=(waiting,), conditions=(READY,))
    return Snapshot(NOW, replace(resource, status=status), (earlier,))


def test_only_that_job_is_in_the_way_of_the_next_part():
    snapshot = ready_for_post_deploy_while_an_earlier_migrate_job_has_not_ended()
    assert plan(snapshot).starts == ()
    (start,) = plan(replace(snapshot, jobs=())).starts
    assert (start.stage, start.database) == (Stage.POST_DEPLOY, "main")


@bounded
@given(snapshots())
@example(ready_for_post_deploy_while_an_earlier_migrate_job_has_not_ended())
@example(aborted_while_a_younger_job_of_an_unheard_run_is_there())
def test_every_claim_holds_of_any_snapshot(snapshot):
    for claim in CLAIMS:
        claim(snapshot)
