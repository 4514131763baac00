"""Resources, Jobs and results in one line each: every builder is complete, a test names only what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from headway_contract.control import Control
from headway_contract.result import DatabasePlan, Failure, Outcome, PendingRevision, Plan, RunResult
from headway_operator.api.identity import job_name
from headway_operator.api.migration import (
    FINALIZER,
    PAUSED_ANNOTATION,
    RETRY_ANNOTATION,
    Database,
    Migration,
    PlanSettings,
    Retry,
    SecretKeyRef,
    Spec,
    Strategy,
    UrlFrom,
    Workload,
)
from headway_operator.api.status import Status
from headway_operator.planner.run import current_run
from headway_operator.planner.snapshot import JobState, JobView, PodView, Rollout, Snapshot, Stage

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def a_database(name: str = "main", after: Sequence[str] = (), **fields: Any) -> Database:
    """A database with a Secret of its own; ``after`` is dependsOn."""
    source = UrlFrom(SecretKeyRef(f"{name}-app", "uri"))
    return Database(**{"name": name, "url_from": source, "depends_on": tuple(after), **fields})


def a_spec(
    *names: str | Database,
    parallel: int = 1,
    on_failure: str = "Stop",
    plan: str = "Always",
    approval: str = "Automatic",
    retries: int = 3,
    **fields: Any,
) -> Spec:
    """A specification of these databases (``main`` when none is named); other fields by their names."""
    databases = tuple(a_database(one) if isinstance(one, str) else one for one in names or ("main",))
    known = {
        "image": "registry.example.com/shop:1",
        "databases": databases,
        "strategy": Strategy(parallel, on_failure),
        "plan": PlanSettings(mode=plan, approval=approval),
        "retry": Retry(limit=retries),
    }
    return Spec(**{**known, **fields})


def a_migration(
    *names: str | Database,
    status: Status | None = None,
    annotations: Mapping[str, str] | None = None,
    retry: str = "",
    paused: str = "",
    generation: int = 1,
    deleting: bool = False,
    finalizer: bool = False,
    problem: str = "",
    **spec: Any,
) -> Migration:
    """A resource; what is not about its metadata goes to :func:`a_spec`. ``problem`` makes its spec unreadable."""
    tokens = {RETRY_ANNOTATION: retry, PAUSED_ANNOTATION: paused, **(annotations or {})}
    return Migration(
        namespace="shops",
        name="shop",
        uid="11111111-2222-3333-4444-555555555555",
        generation=generation,
        resource_version="1",
        deleting=deleting,
        finalizers=(FINALIZER,) if finalizer else (),
        annotations={name: value for name, value in tokens.items() if value},
        spec=None if problem else a_spec(*names, **spec),
        problem=problem,
        status=status or Status(),
    )


def a_pod(job: str = "job", started: bool = True, age: timedelta = timedelta(), **fields: Any) -> PodView:
    """A pod whose main container runs; ``stop=True`` when it has been told to stop."""
    stop = fields.pop("stop", False)
    control = Control(sequence=1, stop=True, reason="because") if stop else fields.pop("control", Control())
    waits_since = NOW - age if fields.get("waiting_reason") else None
    known = {"name": f"{job}-x", "created": NOW - age, "waits_since": waits_since}
    return PodView(**{**known, "started": started, "control": control, **fields})


def a_job(migration: Migration, database: str = "", attempt: int = 1, **fields: Any) -> JobView:
    """A running Job of the resource's current run: of this database, or the plan's when none is named."""
    assert migration.spec is not None
    run = current_run(Snapshot(NOW, migration), migration.spec)
    stage = fields.pop("stage", Stage.MIGRATE if database else Stage.PLAN)
    name = job_name(migration.name, migration.uid, run.id, database, stage.value, attempt)
    known = {
        "name": name,
        "run": run.id,
        "identity": run.identity,
        "stage": stage,
        "database": database,
        "attempt": attempt,
        "created": NOW,
        "pod": a_pod(name),
    }
    return JobView(**{**known, **fields})


def ended(job: JobView, result: RunResult | None = None, **fields: Any) -> JobView:
    """The same Job at its end: as its result says, or failed without one."""
    good = result is not None and result.outcome is Outcome.SUCCEEDED
    state = JobState.SUCCEEDED if good else JobState.FAILED
    pod = replace(job.pod, succeeded=good, started=True) if job.pod else None
    return replace(job, **{"state": state, "result": result, "pod": pod, **fields})


def a_plan(later: Mapping[str, Sequence[str]] | None = None, /, **pending: Sequence[str]) -> Plan:
    """``a_plan(main=["a1", "a2"], audit=[])``: the revisions that each database lacks.

    ``later``: those that wait until the application is rolled out.
    """
    return Plan(
        tuple(
            DatabasePlan(
                name=name,
                current=("base0",),
                target=tuple([*revisions, *(later or {}).get(name, ())][-1:]) or ("base0",),
                pending=tuple(PendingRevision(one, f"title of {one}") for one in revisions)
                + tuple(
                    PendingRevision(one, f"title of {one}", post_deploy=True)
                    for one in (later or {}).get(name, ())
                ),
                starts=(("base0",),),
            )
            for name, revisions in pending.items()
        )
    )


def a_rollout(workload: Workload, image: str = "registry.example.com/shop:1", **fields: Any) -> Rollout:
    """A workload of three pods that is rolled out with this image, unless ``fields`` say otherwise."""
    known = {"images": (image,), "generation": 2, "observed_generation": 2}
    counts = {"wished": 3, "pods": 3, "updated": 3, "available": 3}
    return Rollout(**{"workload": workload, **known, **counts, **fields})


def a_result(
    outcome: Outcome = Outcome.SUCCEEDED, failure: str = "", message: str = "", **fields: Any
) -> RunResult:
    """A runner's last word; naming a ``failure`` makes it a failed one."""
    if failure:
        outcome = Outcome.FAILED
        fields["failure"] = Failure(failure, message or "what the runner saw")
    return RunResult(**{"outcome": outcome, "run": "r", **fields})


def a_snapshot(
    migration: Migration, *jobs: JobView, later: timedelta = timedelta(), **fields: Any
) -> Snapshot:
    """The resource and its Jobs at :data:`NOW`, or so much ``later``."""
    return Snapshot(NOW + later, migration, tuple(jobs), **fields)
