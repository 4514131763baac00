"""Databases that will never start in this run, because of one before them. Pure."""

from dataclasses import replace

from headway_operator.api.status import DatabasePhase, DatabaseStatus
from headway_operator.planner.lifecycle import Fact, moved
from headway_operator.planner.run import CurrentRun
from headway_operator.planner.snapshot import Stage


def with_skips(run: CurrentRun, databases: tuple[DatabaseStatus, ...]) -> tuple[DatabaseStatus, ...]:
    """They are said to be skipped at once.

    Behind the gate none goes on where it stays closed for one that failed before it. One whose Job is being removed
    may still begin until that is gone.
    """
    busy = {job.database for job in run.jobs if job.is_active}
    closed = [one.name for one in databases if one.phase is DatabasePhase.FAILED and not one.is_past_the_gate]
    stopped = run.spec.strategy.on_failure == "Stop" and any(
        database.phase is DatabasePhase.FAILED for database in databases
    )
    # One that an abort has ended has a reason, and tells for nobody else.
    lost = [
        one
        for one in databases
        if one.phase is DatabasePhase.FAILED or (one.phase is DatabasePhase.SKIPPED and not one.reason)
    ]
    shown = []
    for wish, database in zip(run.spec.databases, databases, strict=True):
        is_later = database.stage is Stage.POST_DEPLOY
        needed = [
            one for one in lost if one.name in wish.depends_on and (is_later or not one.is_past_the_gate)
        ]
        culprits = [one.name for one in needed] + (closed if is_later else [])
        is_idle = database.phase is DatabasePhase.PENDING and database.name not in busy
        if is_idle and (stopped or culprits):
            why = f"{culprits[0]} failed" if culprits else "an earlier database failed (onFailure: Stop)"
            phase = moved(database.phase, Fact.EARLIER_FAILED)
            begun = "not continued" if database.attempt or is_later else "not started"
            skipped = replace(database, phase=phase, message=f"{begun}: {why}")
            lost.append(skipped)
            shown.append(skipped)
        else:
            shown.append(database)
    return tuple(shown)
