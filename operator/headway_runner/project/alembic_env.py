"""The only module that reaches into Alembic: it takes part in every context that any env.py configures.

Rule: ``EnvironmentContext.configure`` and ``.run_migrations`` are wrapped on the class, because env.py calls them
through proxies of the exact class; the context's ``fn`` becomes a generator. What stands before its ``yield`` runs
before a revision's transaction, what stands after it when Alembic has ended that transaction.
"""

from collections.abc import Callable, Iterator, MutableMapping
from functools import lru_cache, wraps
from typing import Any, Protocol

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import HeadMaintainer, MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy.engine import Connection

from headway_runner.connections.dbapi import quoted

Step = Any
"""Alembic's ``RevisionStep``: ``revision`` (a Script), ``doc``, ``is_upgrade``, ``migration_fn``."""


class Participant(Protocol):
    """What takes part in the contexts of one pass."""

    applies: bool
    """It yields the steps; else nothing may be written."""

    def enter(self, connection: Connection, options: dict[str, Any]) -> bool:
        """A context is being configured: adjust its options, say whether it is to run."""

    def equip(self, attributes: MutableMapping[Any, Any]) -> None:
        """Put what the revisions may want to find into the Alembic config's ``attributes``."""

    def run(self, context: MigrationContext, migrate: Callable[[], None]) -> None:
        """The context is to run: call ``migrate``, or do not."""

    def steps(
        self,
        context: MigrationContext,
        script: ScriptDirectory,
        heads: tuple[str, ...],
        compute: Callable[[tuple[str, ...]], list[Step]],
    ) -> Iterator[Step]:
        """Which steps the context runs from ``heads``; ``compute`` gives those that Alembic would from any."""


def take_part(participant: Participant) -> None:
    """Wrap the class, for the rest of this process."""
    configure_of_alembic = EnvironmentContext.configure
    run_of_alembic = EnvironmentContext.run_migrations

    def configure(self: EnvironmentContext, *positional: Any, **options: Any) -> None:
        connection = positional[0] if positional else options.get("connection")
        if connection is not None and not self.is_offline_mode():
            _direct(self, participant, participant.enter(connection, options))
            participant.equip(self.config.attributes)
        configure_of_alembic(self, *positional, **options)

    def run_migrations(self: EnvironmentContext, **arguments: Any) -> None:
        def migrate() -> None:
            run_of_alembic(self, **arguments)

        if self.__dict__.get("_headway_wanted"):
            participant.run(self.get_context(), migrate)
        else:
            migrate()

    setattr(EnvironmentContext, "configure", configure)  # noqa: B010
    setattr(EnvironmentContext, "run_migrations", run_migrations)  # noqa: B010


def _direct(environment: EnvironmentContext, participant: Participant, wanted: bool) -> None:
    """Give the context that is about to be configured its steps; configure may be called many times."""
    own = environment.__dict__.setdefault("_headway_fn", environment.context_opts["fn"])
    environment.__dict__["_headway_wanted"] = wanted
    purges = environment.__dict__.setdefault("_headway_purge", environment.context_opts.get("purge", False))
    # With ``alembic stamp --purge`` Alembic would empty the version table before it asks for steps.
    environment.context_opts["purge"] = purges and wanted and participant.applies

    def steps(heads: tuple[str, ...], context: MigrationContext) -> Iterator[Step]:
        if purges and not participant.applies:
            heads = _as_if_emptied(context, tuple(heads), tuple(own((), context)))
        # Asked more than once from the same heads: to compare with a plan, and to run.
        computed = lru_cache(maxsize=None)(lambda start: tuple(own(start, context)))
        if wanted:
            return participant.steps(
                context, environment.script, tuple(heads), lambda start: list(computed(start))
            )
        return iter(())

    environment.context_opts["fn"] = steps
    # Alembic would make its version table before it asks for steps: also when the participant then refuses them.
    environment.context_opts["dont_mutate"] = True


def _as_if_emptied(
    context: MigrationContext, heads: tuple[str, ...], stamps: tuple[Step, ...]
) -> tuple[str, ...]:
    """The heads from which these steps lead; those of the database where they would only lead back to them."""
    return heads if set(heads_after(context, (), list(stamps))) == set(heads) else ()


def run_alembic(config: Config, target: str, downgrade: bool) -> None:
    """``alembic upgrade`` or ``downgrade``; raises whatever env.py raises."""
    (command.downgrade if downgrade else command.upgrade)(config, target)


def read_one_by_one(script: ScriptDirectory) -> Iterator[Script]:
    """Every revision file, also where they form no history; raises what a file raises."""
    return iter(script._load_revisions())


def destination_of(context: MigrationContext) -> tuple[str, ...]:
    """Where whoever called Alembic wants to go; () for commands that only look, such as ``alembic current``."""
    wanted = context.opts.get("destination_rev")
    if wanted is None:
        return ()
    return (wanted,) if isinstance(wanted, str) else tuple(map(str, wanted))


def steps_to_heads(script: ScriptDirectory, start: tuple[str, ...]) -> list[Step]:
    """What ``alembic upgrade heads`` would run from there."""
    return steps_to(script, "heads", start)


def steps_to(script: ScriptDirectory, target: str, start: tuple[str, ...]) -> list[Step]:
    """What ``alembic upgrade`` would run from there; raises Alembic's CommandError."""
    steps: Any = script._upgrade_revs
    return list(steps(target, start))


def revision_of(step: Step) -> str:
    """The revision that a step applies or, with ``alembic stamp``, only notes."""
    script = getattr(step, "revision", None)
    return ",".join(step.to_revisions or step.from_revisions) if script is None else str(script.revision)


def file_of(step: Step) -> str:
    """The file of the revision that a step applies; '' where a step has none."""
    return str(getattr(getattr(step, "revision", None), "path", ""))


def runs_a_file(step: Step) -> bool:
    """Not so the steps of ``alembic stamp``, which only note a revision."""
    return getattr(step, "revision", None) is not None


def parents_of(step: Step) -> tuple[str, ...]:
    """What the revision of a step comes after: those below it, and those that it depends on by whatever name."""
    return tuple(map(str, step.revision._all_down_revisions))


class _Heads(HeadMaintainer):
    """Moves as Alembic moves those of a database, and writes nothing."""

    def _insert_version(self, version: str) -> None:
        self.heads.add(version)

    def _delete_version(self, version: str) -> None:
        self.heads.remove(version)

    def _update_version(self, from_: str, to_: str) -> None:
        self.heads.remove(from_)
        self.heads.add(to_)


def heads_after(context: MigrationContext, heads: tuple[str, ...], steps: list[Step]) -> tuple[str, ...]:
    """The heads of a database, in order, once all these steps are done."""
    moved = _Heads(context, heads)
    for step in steps:
        moved.update_to_step(step)
    return tuple(sorted(map(str, moved.heads)))


def is_in_outer_transaction(context: MigrationContext) -> bool:
    """env.py began the transaction itself, so Alembic commits nothing."""
    return bool(getattr(context, "_in_external_transaction", False))


def commits_each_revision(context: MigrationContext) -> bool:
    """Each revision has a transaction of its own."""
    return bool(context.opts.get("transaction_per_migration")) and not is_in_outer_transaction(context)


def make_version_table(context: MigrationContext) -> None:
    """As Alembic does before its first step; nothing happens when the table is there."""
    context._ensure_version_table()


def version_table_of(context: MigrationContext) -> str:
    """Its name as PostgreSQL takes it, with its schema if it has one."""
    return quoted(context.version_table_schema or "", context.version_table)


def set_aside(step: Step, call: Callable[[Callable[..., None], dict[str, Any]], None]) -> None:
    """Let ``call`` run the revision's own function."""
    own = step.migration_fn

    @wraps(own)  # Alembic's log line shows its name
    def called(**arguments: Any) -> None:
        call(own, arguments)

    step.migration_fn = called
