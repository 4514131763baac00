"""Does the parent of a run load SQLAlchemy and Alembic, for all passes to be forked from? Pure, but for the loading.

Where one or two passes through env.py are to be expected, each of them loads them for itself: a parent that has them
takes 12 MB more, because a process that is forked from it shares few of its pages for long. What they take to load,
0.3 s, is taken once by the parent where more are to be expected.
"""

from collections.abc import Callable
from contextlib import suppress

from headway_contract.events import RunStarted
from headway_contract.request import Mode, RunRequest
from headway_runner.looks.first_look import (
    env_may_configure_several_contexts,
    planned_of,
    the_command_is_the_applications_own,
)
from headway_runner.project import stack
from headway_runner.words.run_failed import RunFailed


def it_compares_with_the_models(request: RunRequest) -> bool:
    """In a pass of its own, which needs them; also after a run."""
    return request.mode is Mode.CHECK or request.drift is not None


def it_looks_at_several_databases(request: RunRequest) -> bool:
    """Each in a pass of its own."""
    return len(request.databases) > 1


def it_takes_back(request: RunRequest) -> bool:
    """A run and the last look at it, which must know the history."""
    planned = planned_of(request)
    return planned is not None and planned.downgrade


def libpq_cannot_be_asked(request: RunRequest) -> bool:
    """The run, and the last look at it: another database or driver, or an older plan, which does not tell."""
    planned = planned_of(request)
    return planned is not None and not planned.env.libpq


REASONS: tuple[Callable[[RunRequest], bool], ...] = (
    it_compares_with_the_models,
    it_looks_at_several_databases,
    the_command_is_the_applications_own,
    it_takes_back,
    env_may_configure_several_contexts,
    libpq_cannot_be_asked,
)
"""Why it does; the first that holds decides."""


def is_worth_it(request: RunRequest) -> bool:
    """Of a request in any mode. One without a plan looks first, and knows more then."""
    return any(reason(request) for reason in REASONS)


def load(request: RunRequest) -> RunStarted:
    """Load them, the modules of the passes, and the drivers; gives what is then to be told. Raises ImportError.

    The collector is off until :func:`stack.keep`. What is wrong with a URL is left to the pass that takes it.
    """
    versions = stack.load()
    _load_passes(request)
    _load_drivers(request)
    return RunStarted(request.run, request.mode.value, *versions)


def _load_passes(request: RunRequest) -> None:
    """Those that this request may come to."""
    import headway_runner.looks.inspection

    if request.mode is Mode.MIGRATE:
        import headway_runner.run.application
    if request.command:
        import headway_runner.attach.command
    if request.tells_facts:
        import headway_runner.facts.no_database  # noqa: F401
    from headway_runner.project.config import command_line

    command_line()


def _load_drivers(request: RunRequest) -> None:
    """Those of the URLs that can be used."""
    from headway_runner.connections.database import url_for

    for database in request.databases:
        is_asynchronous = database.planned is not None and database.planned.env.asynchronous
        with suppress(RunFailed):
            url_for(database, is_asynchronous)
