"""What a running Job's pod is to be told: the whole desired state, once for each change of it. Pure.

A Job that was told to stop is told nothing more. A plan's Job is left alone: it changes nothing and is soon over.
"""

from collections.abc import Mapping
from dataclasses import replace

from headway_contract.backfill import LEFT_OUT, BackfillSettings
from headway_contract.control import Control
from headway_operator.api.migration import Migration
from headway_operator.planner.actions import SteerJob
from headway_operator.planner.gates import Blocked
from headway_operator.planner.snapshot import JobView, Stage


def backfill_settings(migration: Migration) -> BackfillSettings:
    """Those of the specification, with the pace of the annotation where there is one."""
    settings = migration.spec.backfill if migration.spec is not None else LEFT_OUT
    return replace(settings, pace=migration.pace or settings.pace)


def wished(migration: Migration, blocked: Blocked | None) -> Control:
    """What is wished of all that runs for this resource, without a sequence number."""
    return Control(pause=blocked.hold if blocked is not None else "", backfill=backfill_settings(migration))


def steers(
    jobs: tuple[JobView, ...], wish: Control, may_go: Mapping[str, str], throttles: Mapping[str, str]
) -> tuple[SteerJob, ...]:
    """For each Job that was told something else last; by database the revision let go, and what throttles it.

    Where one of the two is not known, what the Job was told last holds on.
    """
    told = []
    for job in jobs:
        if job.pod is None or not job.is_active or job.deleting or not job.has_started:
            continue
        known = job.pod.control
        own = replace(
            wish,
            sequence=known.sequence + 1,
            may_go=may_go.get(job.database, known.may_go),
            throttle=throttles.get(job.database, known.throttle),
        )
        if job.stage is not Stage.PLAN and not known.stop and _content(known) != _content(own):
            told.append(SteerJob(job.name, job.pod.name, own))
    return tuple(told)


def _content(control: Control) -> Control:
    """What it wishes; a Job that was told nothing yet goes as its request says, which has the defaults."""
    return replace(control, sequence=0, backfill=control.backfill or LEFT_OUT)
