"""Does the end of a run need a look through env.py, or is one by libpq alone enough? Pure.

Rule: libpq alone can only confirm. So it is asked when nothing but success is left to be seen; whatever else may
be told of a run, the look through env.py finds and words.
"""

from collections.abc import Callable

from headway_contract.records import dataclass
from headway_runner.processes.task import Application, WayBack


@dataclass(frozen=True)
class End:
    """What is known of a run when its process has ended."""

    run: Application
    way_back: WayBack | None
    """What its last attempt told before code of the revisions ran."""
    is_stopping: bool


def it_was_asked_to_stop(end: End) -> bool:
    """Also when it came to its end before it heard of it."""
    return end.is_stopping or end.run.stopped


def it_failed(end: End) -> bool:
    """Env.py raised something, or hid what a revision raised."""
    return end.run.failure is not None or end.run.seen is not None


def a_revision_did_not_end(end: End) -> bool:
    """Whatever the reason."""
    return bool(end.run.unfinished or end.run.kept)


def something_waits_behind_the_gate(end: End) -> bool:
    """It is counted by the look."""
    return bool(end.run.post_deploy)


def its_one_context_did_not_end(end: End) -> bool:
    """Or there were several."""
    return (end.run.contexts, end.run.completed) != (1, 1)


def the_way_back_is_not_known(end: End) -> bool:
    """The connection does not tell it, or it was told by an attempt before the last."""
    return end.way_back is None


def it_ended_elsewhere(end: End) -> bool:
    """The run itself saw other heads than its steps lead to."""
    return end.way_back is None or sorted(end.run.heads) != sorted(end.way_back.table.heads)


REASONS: tuple[Callable[[End], bool], ...] = (
    it_was_asked_to_stop,
    it_failed,
    a_revision_did_not_end,
    something_waits_behind_the_gate,
    its_one_context_did_not_end,
    the_way_back_is_not_known,
    it_ended_elsewhere,
)


def through_env_is_needed(end: End) -> bool:
    """The first reason that holds decides."""
    return any(reason(end) for reason in REASONS)
