"""Revisions of which hooks are still to be told when a run ends before anybody knows whether they were applied.

A Job may be taken away with its pod while its runner commits, and no event of that may have come; perhaps not even
its creation was written down. Then the run has nothing to tell from. The next one keeps what is open until its plan
has seen the database: what leads to the revision that it is at was applied, and is told then; the rest is told in
its turn. Pure.
"""

from collections.abc import Iterable
from dataclasses import replace

from headway_operator.api.status import DatabaseStatus
from headway_operator.planner.applied import latest_of
from headway_operator.planner.snapshot import JobView


def has_told(database: DatabaseStatus, jobs: Iterable[JobView]) -> bool:
    """Whether the latest of the Jobs that work on it is there, and has said where it left the database."""
    latest = latest_of(jobs)
    if latest is None or latest.result is None or not latest.result.to_revision:
        return False
    is_the_latest = latest.stage is database.stage and latest.attempt >= database.attempt
    return is_the_latest or not database.attempt


def with_unheard(database: DatabaseStatus, before: DatabaseStatus) -> DatabaseStatus:
    """The database of a run that has just begun, with what the run before it has left open."""
    untold, unasked = before.untold, before.unasked
    if database.revisions_total is not None:
        # It has its plan already: the status of the run was never written before.
        known = landed(before, database.current_revision.split(", "), database.untold or database.unasked)
        untold, unasked = (tuple(one for one in earlier if one in known) for earlier in (untold, unasked))
    return replace(database, untold=untold + database.untold, unasked=unasked + database.unasked)


def landed(database: DatabaseStatus, current: Iterable[str], pending: Iterable[str]) -> frozenset[str]:
    """What of the revisions that were left open is applied: a run applies them in order, one after the other."""
    order, heads = database.untold or database.unasked, set(current)
    last = max((place for place, one in enumerate(order) if one in heads), default=-1)
    return frozenset(order[: last + 1]) - frozenset(pending)
