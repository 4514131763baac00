"""The table of a database's phases: every change of phase is a row here, and a move without a row is refused.

Facts may be seen late or twice (a status emptied by hand starts again at Pending), so what a Job did is legal from
every phase that is not final. Only a new run leads out of a final phase, by starting afresh.
"""

from enum import StrEnum

from headway_operator.api.status import DatabasePhase as Phase


class Fact(StrEnum):
    """What was found out about a database."""

    NOTHING_PENDING = "the plan found nothing to do"
    JOB_ACTIVE = "a Job is working on it"
    BACKFILL_ACTIVE = "a Job is working on it, in a backfill"
    REST_WAITS = "what must precede the application is applied, and the rest waits until it is rolled out"
    JOB_SUCCEEDED = "its Job confirmed the target"
    ATTEMPT_FAILED = "an attempt failed and another one may help"
    GAVE_UP = "an attempt failed for good"
    JOB_STOPPED = "its Job stopped at a safe point"
    EARLIER_FAILED = "a database before it failed"
    RUN_ABORTED = "a person ended the run"


TRANSITIONS: dict[tuple[Phase, Fact], Phase] = {
    (Phase.PENDING, Fact.NOTHING_PENDING): Phase.SUCCEEDED,
    (Phase.PENDING, Fact.EARLIER_FAILED): Phase.SKIPPED,
    (Phase.PENDING, Fact.RUN_ABORTED): Phase.SKIPPED,
    (Phase.PENDING, Fact.JOB_ACTIVE): Phase.MIGRATING,
    (Phase.PENDING, Fact.BACKFILL_ACTIVE): Phase.BACKFILLING,
    (Phase.PENDING, Fact.REST_WAITS): Phase.PENDING,
    (Phase.PENDING, Fact.JOB_SUCCEEDED): Phase.SUCCEEDED,
    (Phase.PENDING, Fact.ATTEMPT_FAILED): Phase.WAITING,
    (Phase.PENDING, Fact.GAVE_UP): Phase.FAILED,
    (Phase.PENDING, Fact.JOB_STOPPED): Phase.PENDING,
    (Phase.MIGRATING, Fact.JOB_ACTIVE): Phase.MIGRATING,
    (Phase.MIGRATING, Fact.BACKFILL_ACTIVE): Phase.BACKFILLING,
    (Phase.MIGRATING, Fact.REST_WAITS): Phase.PENDING,
    (Phase.MIGRATING, Fact.JOB_SUCCEEDED): Phase.SUCCEEDED,
    (Phase.MIGRATING, Fact.ATTEMPT_FAILED): Phase.WAITING,
    (Phase.MIGRATING, Fact.GAVE_UP): Phase.FAILED,
    (Phase.MIGRATING, Fact.JOB_STOPPED): Phase.PENDING,
    (Phase.BACKFILLING, Fact.JOB_ACTIVE): Phase.MIGRATING,
    (Phase.BACKFILLING, Fact.BACKFILL_ACTIVE): Phase.BACKFILLING,
    (Phase.BACKFILLING, Fact.REST_WAITS): Phase.PENDING,
    (Phase.BACKFILLING, Fact.JOB_SUCCEEDED): Phase.SUCCEEDED,
    (Phase.BACKFILLING, Fact.ATTEMPT_FAILED): Phase.WAITING,
    (Phase.BACKFILLING, Fact.GAVE_UP): Phase.FAILED,
    (Phase.BACKFILLING, Fact.JOB_STOPPED): Phase.PENDING,
    (Phase.WAITING, Fact.JOB_ACTIVE): Phase.MIGRATING,
    (Phase.WAITING, Fact.BACKFILL_ACTIVE): Phase.BACKFILLING,
    (Phase.WAITING, Fact.REST_WAITS): Phase.PENDING,
    (Phase.WAITING, Fact.JOB_SUCCEEDED): Phase.SUCCEEDED,
    (Phase.WAITING, Fact.ATTEMPT_FAILED): Phase.WAITING,
    (Phase.WAITING, Fact.GAVE_UP): Phase.FAILED,
    (Phase.WAITING, Fact.JOB_STOPPED): Phase.PENDING,
    (Phase.WAITING, Fact.RUN_ABORTED): Phase.SKIPPED,
}


class IllegalTransition(Exception):
    """A move that the table does not have: a bug in the planner."""


def moved(phase: Phase, fact: Fact) -> Phase:
    """The phase after this fact; raises :class:`IllegalTransition`."""
    try:
        return TRANSITIONS[phase, fact]
    except KeyError:
        raise IllegalTransition(f"a database that is {phase} cannot take: {fact}") from None
