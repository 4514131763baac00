"""Jobs that the cluster would not have in this very look: they are tried again later.

Their databases keep their places among ``maxParallel``, and those that have one go on. What is in the way is put
right without touching the resource: a quota, a policy, another's Job of the same name. Pure.
"""

from collections.abc import Iterable
from datetime import timedelta

from headway_operator.api.reasons import reason_of
from headway_operator.planner.actions import StartJob
from headway_operator.planner.explain import explain
from headway_operator.planner.snapshot import RefusedStart, Snapshot

LOOK_AGAIN = timedelta(seconds=60)
"""After so long they are tried again at the latest."""


def refused_among(snapshot: Snapshot, starts: Iterable[StartJob]) -> tuple[RefusedStart, ...]:
    """Which of these Jobs the cluster would not have."""
    names = {start.name for start in starts}
    return tuple(one for one in snapshot.refused if one.job_name in names)


def not_refused(snapshot: Snapshot, starts: Iterable[StartJob]) -> tuple[StartJob, ...]:
    """The others of these Jobs."""
    names = {one.job_name for one in snapshot.refused}
    return tuple(start for start in starts if start.name not in names)


def told(refused: tuple[RefusedStart, ...], name: str) -> tuple[str, str]:
    """The reason and the message, for the resource ``name``: of several Jobs the first in full."""
    first, *others = refused
    whose = f"{first.database}: " if first.database else ""
    text = whose + explain(reason_of(first.reason), first.happened, name)
    rest = f" Not started either: {', '.join(one.database for one in others)}." if others else ""
    return first.reason, text + rest
