"""Does a run need a look of its own before it, or has the look of its plan shown enough? Pure.

Without one, the run compares under the lock with what was planned, before its first revision. Whatever is not as it
was planned then, a look settles all the same (``under_lock.py``).
"""

from collections.abc import Callable

from headway_contract.planned import Planned
from headway_contract.request import RunRequest


def planned_of(request: RunRequest) -> Planned | None:
    """What the plan of its first database showed; None: there was no plan."""
    return request.databases[0].planned if request.databases else None


def nothing_was_planned(request: RunRequest) -> bool:
    """What is pending must be seen, and judged, before any of it runs."""
    return planned_of(request) is None


def the_command_is_the_applications_own(request: RunRequest) -> bool:
    """It may have several targets, and a plan is over all of them: one alone cannot be compared with it."""
    return bool(request.command)


def env_may_configure_several_contexts(request: RunRequest) -> bool:
    """All of them are looked at before the first is touched; an older plan does not tell how many there are."""
    planned = planned_of(request)
    return planned is not None and planned.env.contexts != 1


REASONS: tuple[Callable[[RunRequest], bool], ...] = (
    nothing_was_planned,
    the_command_is_the_applications_own,
    env_may_configure_several_contexts,
)


def is_needed(request: RunRequest) -> bool:
    """Of a request to migrate one database."""
    return any(reason(request) for reason in REASONS)
