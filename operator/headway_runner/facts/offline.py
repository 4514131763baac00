"""Runs revisions in Alembic's script mode: nothing of env.py, no database, one revision after the other.

What one of them raises ends that revision alone. Like ``alembic_env.py`` it reaches into Alembic.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO, cast

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from headway_contract.facts import Statement
from headway_contract.records import dataclass
from headway_runner.facts.bounds import PLAN_SECONDS, REVISION_SECONDS
from headway_runner.facts.quarantine import quarantine, tried
from headway_runner.facts.reasons import TookTooLong, no_time_left, why_not
from headway_runner.facts.recorder import Recorder, real_path
from headway_runner.project.alembic_env import Step

_OWN = (
    "fn",
    "as_sql",
    "script",
    "starting_rev",
    "destination_rev",
    "on_version_apply",
    "output_buffer",
    "dont_mutate",
)
"""Options of a context that are not taken over from env.py's."""
_AGAIN_SECONDS = 0.2
"""Code that swallows the end of its time gets it again."""


@dataclass(frozen=True)
class Script:
    """What env.py had configured, as far as a script needs it."""

    config: Config
    directory: ScriptDirectory
    options: dict[str, Any]
    dialect: str
    server_version: tuple[Any, ...] | None
    heads: tuple[str, ...]
    """Where it starts."""


@dataclass(frozen=True)
class Rendered:
    """The statements of one revision; ``why_not``: why those after them cannot be told."""

    statements: tuple[Statement, ...] = ()
    why_not: str = ""


def script_of(context: MigrationContext, directory: ScriptDirectory, heads: tuple[str, ...]) -> Script:
    """Of a context that env.py has configured."""
    environment = context.environment_context
    config = Config() if environment is None else environment.config
    options = {name: value for name, value in context.opts.items() if name not in _OWN}
    version = getattr(context.dialect, "server_version_info", None)
    return Script(config, directory, options, context.dialect.name, version, heads)


def render(script: Script, steps: Sequence[Step], told: Callable[[Step, Rendered], bool]) -> None:
    """Render each step and hand over what came of it, until ``told`` says that it is enough."""
    recorder = Recorder()
    ends_at = time.monotonic() + PLAN_SECONDS
    with quarantine(), _environment(script, recorder) as environment:
        for step in steps:
            if time.monotonic() > ends_at:
                rendered = Rendered(why_not=no_time_left(PLAN_SECONDS))
            else:
                rendered = _render_one(environment, recorder, step)
            if not told(step, rendered):
                return


@contextmanager
def _environment(script: Script, recorder: Recorder) -> Iterator[EnvironmentContext]:
    environment = EnvironmentContext(
        script.config, script.directory, as_sql=True, starting_rev=script.heads or None
    )
    environment.context_opts.update(script.options)
    with environment:
        environment.configure(
            dialect_name=script.dialect,
            output_buffer=cast(TextIO, recorder),
            literal_binds=True,
            dialect_opts={"paramstyle": "named"},
        )
        context = environment.get_context()
        if script.server_version:
            setattr(context.dialect, "server_version_info", script.server_version)  # noqa: B010
        recorder.take_over(context)
        yield environment


def _render_one(environment: EnvironmentContext, recorder: Recorder, step: Step) -> Rendered:
    """The revision's own function alone: no statement of the version table, no callback of the project's."""
    file = real_path(str(getattr(step.revision, "path", "") or ""))
    error: BaseException | None = None
    recorder.begin(file)
    try:
        with Operations.context(environment.get_context()), _limited(REVISION_SECONDS):
            step.migration_fn()
    except BaseException as raised:  # noqa: BLE001 - whatever a revision does, the plan is told
        error = raised
    statements, doing = recorder.end(), tried()
    return Rendered(statements, why_not(error, doing, file) if error is not None or doing else "")


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises :class:`TookTooLong` inside, again and again until it is obeyed."""

    def ring(*_: object) -> None:
        raise TookTooLong(seconds)

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
