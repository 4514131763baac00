"""A revision of which a failed run has committed a part: remembered until a run gets past it. Pure.

The next run begins the revision again, over that part, and its own failure may know nothing of it ("the table exists
already").
"""

from collections.abc import Iterable
from dataclasses import replace

from headway_contract.result import PendingRevision, shorten
from headway_contract.sentences import sentence
from headway_operator.api.status import DatabaseStatus, HalfDone, Pending
from headway_operator.planner.snapshot import JobView

PARTLY = "PartiallyApplied"
CHARACTERS = 800
"""Of what was said of it."""


def still_half_done(
    half_done: HalfDone | None, pending: Iterable[Pending | PendingRevision]
) -> HalfDone | None:
    """The same while its revision is pending."""
    if half_done is None or all(one.revision != half_done.revision for one in pending):
        return None
    return half_done


def with_half_done(database: DatabaseStatus, job: JobView) -> DatabaseStatus:
    """A database whose Job has failed: what was left before is told again, and what it left itself is remembered."""
    failure = None if job.result is None else job.result.failure
    if failure is None or job.result is None:
        return database
    before = database.half_done if failure.name != PARTLY else _known_before(database.half_done, job)
    if before is not None and before.revision in job.result.applied:
        before = None
    is_the_same = before is not None and before.revision == failure.revision
    message = database.message
    if before is not None and is_the_same:
        message = (
            f"{message} A part of this revision was committed before, by run {before.run}: {before.message}"
        )
    half_done = before
    if failure.name == PARTLY and failure.revision:
        said = (
            f"{sentence(before.message)} Run {job.run}: {failure.message}"
            if before and is_the_same
            else failure.message
        )
        run = before.run if before is not None and is_the_same else job.run
        half_done = HalfDone(failure.revision, run, shorten(said, CHARACTERS))
    return replace(database, message=message, half_done=half_done)


def _known_before(half_done: HalfDone | None, job: JobView) -> HalfDone | None:
    """Without what this Job itself has left: a Job may be read again when its specification comes back."""
    if half_done is None or half_done.run == job.run:
        return None
    return replace(half_done, message=half_done.message.partition(f" Run {job.run}: ")[0])
