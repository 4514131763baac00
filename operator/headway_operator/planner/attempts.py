"""What one Job means for the attempt that it is: at work, stopped on request, or kept from starting."""

from headway_operator.api.migration import Migration
from headway_operator.planner.explain import explain
from headway_operator.planner.retries import eviction_of, obstacle_of, patience_is_over
from headway_operator.planner.run import CurrentRun
from headway_operator.planner.snapshot import JobState, JobView, Snapshot

STOPPED = "stopped before its end, at a safe point; the next attempt goes on from there"


def works(job: JobView, snapshot: Snapshot, held: bool, settled: bool) -> bool:
    """Whether this Job may still bring a result; ``settled``: the status has already done with it."""
    given_up = patience_is_over(job, snapshot.now) or (held and not job.has_started)
    return job.is_active and not given_up and not (settled and job.deleting)


def is_stopped(job: JobView, held: bool) -> bool:
    """Whether it ended, or is removed, because it was asked to: no failure."""
    return job.was_stopped or (held and job.is_active and not job.has_started)


def ran_out_while_paused(job: JobView, migration: Migration) -> bool:
    """Whether its time ended while it held for a pause, and its pod has gone with its last word: no failure either.

    The status tells of a pause that ended when nobody looked.
    """
    was_paused = bool(migration.paused_token or migration.status.last_handled_paused)
    is_out = job.state is JobState.FAILED and job.reason == "DeadlineExceeded"
    return was_paused and is_out and job.result is None


def obstacle_text(run: CurrentRun, job: JobView) -> str:
    """What keeps its pod from starting, or has taken it away, for people; empty when nothing does."""
    obstacle = obstacle_of(job) or eviction_of(job)
    return explain(*obstacle, run.migration.name) if obstacle else ""
