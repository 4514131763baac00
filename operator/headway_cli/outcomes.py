"""What comes of a command, by the status that answers it: what goes on, whether something else holds it. Pure."""

from __future__ import annotations

from headway_operator.api.migration import Migration
from headway_operator.api.reasons import reason_of
from headway_operator.planner.abort import ABORTED

_WAITS = ("WaitingForHook", "WaitingForRollout")
"""Reasons of a wait for others than a person."""
_ENDS = {
    "Stopping": ", and starts once the run before has ended at its next safe point",
    "Aborting": ", but the run was aborted and ends at its next safe point",
}


def of_a_pause(answered: Migration) -> str:
    """What runs does not hold yet when the pause is answered."""
    resume = f"headway resume {answered.name}"
    run = answered.status.run
    if run is None or run.completion_time:
        return f"paused: nothing runs now, and nothing starts before {resume}"
    if any(one.phase.is_working for one in answered.status.databases):
        return (
            f"to be paused: what runs holds at its next safe point, between batches or between revisions; nothing "
            f"starts before {resume}. headway status {answered.name} shows when it holds"
        )
    return f"paused: nothing starts before {resume}"


def of_an_abort(answered: Migration, meant: str) -> str:
    """It is answered when it is seen: the run ends after that, or had ended before. ``meant``: the id of the run."""
    run = answered.status.run
    if run is None or not run.abort:
        ended = f" as {run.result}" if run is not None and run.result else ""
        return f"nothing was aborted: run {meant} had ended{ended} when the abort was seen"
    if run.result == ABORTED:
        return "aborted: nothing runs any more, and what was applied stays"
    return (
        "to be aborted: what runs goes on to its next safe point, the end of its batch or revision; nothing more "
        f"starts. headway status {answered.name} -w shows when it has ended"
    )


def what_follows(answered: Migration, goes_on: str) -> str:
    """After a clause that says what is let go: ``goes_on``, or that it does not, and what was printed says why."""
    succeeded = answered.status.condition("Succeeded")
    if succeeded is None:
        return ""
    if succeeded.status == "True":
        return "; nothing is left to do"
    if succeeded.status == "False":
        return ", but nothing goes on"
    if succeeded.reason in _ENDS:
        return _ENDS[succeeded.reason]
    is_held = succeeded.reason in _WAITS or bool(reason_of(succeeded.reason).next_step)
    return ", but something else holds it still" if is_held else f", and {goes_on}"
