"""The plan of a project on this machine: its plan Job as a process, as ``headway run`` would start it first."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from headway_cli.at_home import at_home
from headway_cli.intake import Intake
from headway_cli.launch import check_sources
from headway_cli.plans.result import Told, told_of
from headway_cli.plans.view import ShownPlan
from headway_cli.session import SETTINGS
from headway_contract.request import VARIABLE, DatabaseRequest, RunRequest
from headway_contract.result import RunResult
from headway_operator.api.migration import parse
from headway_operator.cluster.interface import Body
from headway_operator.cluster.local import NAMESPACE, LocalCluster, Site
from headway_operator.cluster.views import job_view
from headway_operator.controller.clock import utc_now
from headway_operator.manifests.job import job_for
from headway_operator.planner.actions import StartJob
from headway_operator.planner.snapshot import JobState, Stage
from headway_runner.inject import inject

PLAN_JOB = StartJob("plan", "plan", "plan", Stage.PLAN, "", 1)


def local_plan(intake: Intake, starts_from: str) -> Told:
    """Make it; ``starts_from`` is a revision or ``base``, and then nothing is connected to. Raises BadInput."""
    if not starts_from:
        check_sources(intake)
    result, log = run_alone(intake, lambda job: without_database(job, starts_from) if starts_from else job)
    name = intake.resource["metadata"]["name"]
    return told_at_home(told_of(result, log, name), name)


def told_at_home(told: Told, migration_name: str) -> Told:
    """With next steps that can be taken on this machine."""
    log = tuple(at_home(line, migration_name) for line in told.log)
    return replace(told, problem=at_home(told.problem, migration_name), log=log)


def shown_at_home(plan: ShownPlan) -> ShownPlan:
    """The same of what is shown; SQL stays as it is."""
    return replace(
        plan,
        databases=tuple(
            replace(
                one,
                failure=at_home(one.failure, plan.name),
                notices=tuple(at_home(notice, plan.name) for notice in one.notices),
            )
            for one in plan.databases
        ),
    )


def run_alone(intake: Intake, change: Callable[[Body], Body]) -> tuple[RunResult | None, str]:
    """The plan Job, changed like this, run to its end: its result and its log."""
    folder = Path(tempfile.mkdtemp(prefix="headway-plan-"))
    try:
        inject(folder / "runner")
        site = Site(folder / "runner", folder, intake.sources, dict(os.environ), utc_now)
        return asyncio.run(_run(intake.resource, site, change))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _End:
    """A watcher that waits for one Job's end."""

    def __init__(self) -> None:
        self.come = asyncio.Event()

    def migration_changed(self, body: Body) -> None:
        """It does not."""

    def owned_changed(self, body: Body) -> None:
        """The Job is over or not."""
        view = job_view(body, ())
        if view is not None and view.state is not JobState.ACTIVE:
            self.come.set()

    def line_written(self, job: Body, line: str) -> None:
        """The log is read in the end."""


async def _run(resource: Body, site: Site, change: Callable[[Body], Body]) -> tuple[RunResult | None, str]:
    end = _End()
    cluster = LocalCluster(resource, site, end)
    job = change(alone(job_for(PLAN_JOB, parse(cluster.migration), SETTINGS)))
    try:
        await cluster.create_job(NAMESPACE, job)
        await end.come.wait()
    finally:
        await cluster.close(SETTINGS.grace_seconds)
    key, uid = cluster.key, cluster.migration["metadata"]["uid"]
    jobs: Sequence[Body] = await cluster.list_jobs(key, uid)
    view = job_view(jobs[0], await cluster.list_pods(key, uid))
    log = "\n".join([line async for line in cluster.read_log(NAMESPACE, PLAN_JOB.name)])
    return None if view is None else view.result, log


def alone(job: dict[str, Any]) -> dict[str, Any]:
    """The same Job without what would follow it in a run."""
    return with_request(job, lambda request: replace(request, drift=None))


def without_database(job: dict[str, Any], starts_from: str) -> dict[str, Any]:
    """The same Job for a plan from this revision on: a Secret that is not there is not missed."""
    job = with_request(job, lambda request: replace(request, databases=_from(request, starts_from)))
    for variable in job["spec"]["template"]["spec"]["containers"][0]["env"]:
        for reference in variable.get("valueFrom", {}).values():
            reference["optional"] = True
    return job


def _from(request: RunRequest, starts_from: str) -> tuple[DatabaseRequest, ...]:
    return tuple(replace(one, starts_from=starts_from) for one in request.databases)


def with_request(job: dict[str, Any], change: Callable[[RunRequest], RunRequest]) -> dict[str, Any]:
    """The same Job with another request for its runner."""
    job = json.loads(json.dumps(job))
    for variable in job["spec"]["template"]["spec"]["containers"][0]["env"]:
        if variable["name"] == VARIABLE:
            variable["value"] = change(RunRequest.from_json(variable["value"])).to_json()
    return job
