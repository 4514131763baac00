"""What every pass does when env.py configures a context: prepare the session, check whose database it is."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, MutableMapping
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from headway_contract.events import DatabaseReached
from headway_contract.result import Failure
from headway_runner.connections.dbapi import void
from headway_runner.connections.identity import Identity
from headway_runner.connections.probe import identity_of as identity_in
from headway_runner.connections.probe import look, probe
from headway_runner.connections.sessions import Sessions
from headway_runner.processes.child import Link
from headway_runner.processes.task import Place, Task
from headway_runner.project.alembic_env import Participant, destination_of, run_alembic, take_part
from headway_runner.project.config import load_config, prepare_process
from headway_runner.project.contexts import place_of
from headway_runner.run.endings import Endings, hidden
from headway_runner.run.library import ATTRIBUTE
from headway_runner.words.failures import failure_of
from headway_runner.words.run_failed import RunFailed
from headway_runner.words.secrecy import learn_environment


class ContextGuard(Participant, ABC):
    """Lets only contexts of the requested database run, and counts them."""

    applies = False

    def __init__(self, link: Link, task: Task, sessions: Sessions) -> None:
        self._link = link
        self._task = task
        self._sessions = sessions
        self.identity = task.identity
        self.configured = 0
        self.wanted = 0
        self.places_known = 0
        """How often a context came to where it is known which one it is."""
        self.others: list[str] = []
        """Names of the databases that env.py reached instead."""
        self.endings = Endings()
        self.place: Place | None = None
        """Of the context that runs, once it is known."""

    def enter(self, connection: Connection, options: dict[str, Any]) -> bool:
        """Whether this context is to run; its options are completed."""
        self.configured += 1
        if not self._is_requested(connection):
            return False
        self._sessions.take(connection)
        self.wanted += 1
        for name, value in (
            ("version_table", self._task.database.version_table),
            ("version_table_schema", self._task.database.version_table_schema),
        ):
            if value:
                options[name] = value
        if not self._task.one_transaction:
            options.setdefault("transaction_per_migration", True)
        return True

    def equip(self, attributes: MutableMapping[Any, Any]) -> None:
        """Nothing: where no revision runs, there must not be anything left that would tell or wish something."""
        attributes.pop(ATTRIBUTE, None)

    def _is_requested(self, connection: Connection) -> bool:
        if self.identity is None:
            if self.configured == 1:
                seen = look(connection)
                self._link.emit(DatabaseReached(self._task.database.name, seen.dialect, seen.server_version))
            return True
        found = look(connection).identity
        if found.is_same_as(self.identity):
            return True
        self.others.append(found.database)
        return False

    def run(self, context: MigrationContext, migrate: Callable[[], None]) -> None:
        """As the pass does it. What is raised is kept, because env.py may hide it and go on to another context."""
        self.place = None
        try:
            self.pass_context(context, migrate)
        except BaseException as error:
            if destination_of(context):
                if self.place is None:
                    call_guarded(lambda: void(self.come_to(context)))
                place = self.place or Place(None, str(context.version_table), "")
                self.endings.fail(place, self._told_if_hidden(error, place))
            raise

    def pass_context(self, context: MigrationContext, migrate: Callable[[], None]) -> None:
        """What the pass does with a context."""
        migrate()

    def come_to(self, context: MigrationContext) -> Place:
        """The place of a context: known from here on. Begins no transaction."""
        identity = None
        if self.identity is None and context.connection is not None:
            identity = identity_in(context.connection)
        self.place = Place(identity, str(context.version_table), place_of(context))
        self.places_known += 1
        return self.place

    def _told_if_hidden(self, error: BaseException, place: Place) -> Failure | None:
        failure = self.why(error)
        if failure is None or isinstance(error, RunFailed):
            return failure
        return hidden(failure, place.shown)

    def why(self, error: BaseException) -> Failure | None:
        """What a context raised, as a failure; None: it was asked to stop."""
        return failure_of(error)

    @property
    @abstractmethod
    def ran(self) -> bool:
        """Whether a context of the requested database came as far as its revisions."""

    def check_something_ran(self) -> None:
        """Raises :class:`RunFailed` with ``NeverConfigured`` or ``WrongDatabase``."""
        if self.configured and not self.wanted and self.identity is not None:
            others = ", ".join(sorted(set(self.others)))
            raise RunFailed(
                Failure(
                    "WrongDatabase",
                    f"env.py connected to {others}, but the run is for {self.identity.database}"
                    + (" on another server" if self.identity.database in self.others else "")
                    + "; nothing was written.",
                )
            )
        if not self.ran:
            if self.endings.hidden is not None:
                raise RunFailed(self.endings.hidden)
            what = (
                "called context.configure() but not context.run_migrations()"
                if self.configured
                else ("ended without calling context.configure()")
            )
            raise RunFailed(Failure("NeverConfigured", f"env.py {what}."))


def identity_of(link: Link, task: Task) -> Identity | None:
    """Which database was asked for, seen over a connection of our own; raises what the driver raises."""
    if task.url is None or task.identity is not None:
        return task.identity
    seen = probe(task.url)
    link.emit(DatabaseReached(task.database.name, seen.dialect, seen.server_version))
    return seen.identity


def pass_through(link: Link, task: Task, guard: ContextGuard) -> BaseException | None:
    """Run env.py once, with ``guard`` in its contexts; what was raised, also that nothing ran."""
    return call_guarded(lambda: _pass_through(link, task, guard))


def _pass_through(link: Link, task: Task, guard: ContextGuard) -> None:
    prepare_process(task)
    guard.identity = identity_of(link, task)
    config = load_config(task)
    take_part(guard)
    error = call_guarded(lambda: run_alembic(config, task.target, task.downgrade))
    if error is not None:
        raise error
    guard.check_something_ran()


def call_guarded(function: Callable[[], None]) -> BaseException | None:
    """What the user's code raised; ``sys.exit(0)`` raises nothing that a caller would see."""
    try:
        function()
    except SystemExit as ended:
        return None if ended.code in (0, None) else ended
    except BaseException as error:  # noqa: BLE001 - a pass always ends in a report, whatever the user's code does
        # env.py may have put a secret there; what it raised may quote it.
        learn_environment(os.environ)
        return error
    return None
