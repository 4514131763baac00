"""Can the parent of a run do without SQLAlchemy and Alembic? Pure, from the request alone.

It then needs them only when the run did not end as planned: that it did, libpq alone sees (``light_look.py``).
Where that cannot be, or where the run needs a look first, they are loaded once, before the first fork.
"""

from collections.abc import Callable

from headway_contract.request import Mode, RunRequest
from headway_runner.looks import first_look


def it_is_no_run(request: RunRequest) -> bool:
    """A plan and a check look at every database in a process of its own, forked from what is loaded once."""
    return request.mode is not Mode.MIGRATE


def it_looks_first(request: RunRequest) -> bool:
    """The look, the run and the last look share what is loaded."""
    return first_look.is_needed(request)


def it_takes_back(request: RunRequest) -> bool:
    """Rare, and left to a look that knows the history."""
    planned = request.databases[0].planned
    return planned is not None and planned.downgrade


def it_is_followed_by_a_comparison(request: RunRequest) -> bool:
    """With the models, in one more process that is forked from what is loaded."""
    return request.drift is not None


def libpq_cannot_be_asked(request: RunRequest) -> bool:
    """Another database or driver, or an older plan, which does not tell."""
    planned = request.databases[0].planned
    return planned is None or not planned.env.libpq


REASONS: tuple[Callable[[RunRequest], bool], ...] = (
    it_is_no_run,
    it_looks_first,
    it_takes_back,
    it_is_followed_by_a_comparison,
    libpq_cannot_be_asked,
)
"""Why not; the first that holds decides."""


def is_enough(request: RunRequest) -> bool:
    """Of a request in any mode."""
    return not any(reason(request) for reason in REASONS)
