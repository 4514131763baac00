"""Which revisions of a database are certainly applied: from what its Jobs left and told, never from a guess. Pure.

Events may be lost, so names alone are not enough; the last of them, and each result, says how many were left, and a
run applies its revisions one after the other. Where env.py runs a history in several contexts, a revision may be
applied in one and not in another, so there only the end of the Job counts.
"""

from collections.abc import Iterable, Sequence

from headway_contract.planned import Planned
from headway_operator.api.status import DatabasePhase, DatabaseStatus
from headway_operator.planner.snapshot import JobProgress, JobView, Stage


def newly_applied(
    database: DatabaseStatus, jobs: Sequence[JobView], progress: JobProgress | None
) -> tuple[str, ...]:
    """Of the revisions in ``database.untold`` those that are applied, in the order of the plan.

    ``jobs`` are those that migrate it, ``progress`` is what the running one tells.
    """
    if database.phase is DatabasePhase.SUCCEEDED:
        return database.untold
    if _has_several_contexts(database.planned):
        return ()
    latest = latest_of(jobs)
    names = {name for job in jobs if job.result is not None for name in job.result.applied}
    left: int | None = None
    if progress is not None and latest is not None and progress.job_name == latest.name:
        names.update(progress.applied)
        left = progress.left
        if left is not None and latest.stage is Stage.MIGRATE:
            left += database.post_deploy_count
    if latest is not None and latest.result is not None and latest.result.to_revision:
        left = latest.result.pending_count + latest.result.post_deploy_count
    # Until a Job tells, nothing of the plan is applied; what stands before it was, by a run before this one.
    left = database.pending_count if left is None else left
    return _in_order(database.untold, names, left)


def latest_of(jobs: Iterable[JobView]) -> JobView | None:
    """The last attempt: attempts behind the gate are counted anew."""
    return max(jobs, key=lambda job: (job.stage is Stage.POST_DEPLOY, job.attempt), default=None)


def _in_order(untold: tuple[str, ...], names: set[str], left: int | None) -> tuple[str, ...]:
    """Those that have a name in what was told, and as many of the earliest others as the number that is left says."""
    nameless = 0 if left is None else len(untold) - left - sum(one in names for one in untold)
    applied: list[str] = []
    for one in untold:
        if one not in names and nameless <= 0:
            continue
        nameless -= one not in names
        applied.append(one)
    return tuple(applied)


def _has_several_contexts(planned: Planned | None) -> bool:
    return planned is not None and (planned.env.contexts > 1 or len(planned.starts) > 1)
