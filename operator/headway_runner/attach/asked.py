"""What the application's own command asks Alembic before it decides whether to upgrade.

A command that upgrades only when it must asks for the heads of the database and for those of its history, and ends.
What it was told is seen here, and compared anew: what the command makes of it does not count.

Rule: only the version table that the run is for counts, in the database that the run is for, and only when its heads
are all of the history's. Anything less is left to the upgrade, which the command then has to call.
"""

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from headway_runner.connections.probe import look
from headway_runner.processes.task import Inspection, Task, VersionTable
from headway_runner.project.alembic_env import destination_of, steps_to_heads
from headway_runner.project.own_target import what_was_planned
from headway_runner.project.version_tables import version_table
from headway_runner.run.participant import call_guarded
from headway_runner.statements.invalid_indexes import invalid_indexes


class Asked:
    """The answers that one process was given."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._scripts: list[ScriptDirectory] = []
        self._answers: dict[tuple[str, str], tuple[VersionTable, tuple[str, ...]]] = {}
        """By schema and name: the table, and the invalid indexes beside it."""

    def note_script(self, script: ScriptDirectory) -> bool:
        """A history that was opened; whether answers may mean something else by it."""
        self._scripts.append(script)
        return bool(self._answers)

    def note_heads(self, context: MigrationContext, heads: tuple[str, ...]) -> bool:
        """The heads that Alembic read for the command, not for an upgrade; whether they count."""
        connection = context.connection
        if context.as_sql or connection is None or destination_of(context):
            return False
        if not self._is_what_the_run_is_for(context, connection):
            return False
        table = version_table(context, heads)
        left = tuple(one.shown for one in invalid_indexes(connection) if one.builder is None)
        self._answers[table.schema, table.name] = table, left
        return True

    def _is_what_the_run_is_for(self, context: MigrationContext, connection: Connection) -> bool:
        wanted = self._task.database
        if wanted.version_table not in ("", context.version_table):
            return False
        if wanted.version_table_schema not in ("", context.version_table_schema):
            return False
        identity = self._task.identity
        return identity is None or look(connection).identity.is_same_as(identity)

    def views(self) -> list[Inspection]:
        """One for each table."""
        return [self._view(*answer) for answer in self._answers.values()]

    def _view(self, table: VersionTable, left: tuple[str, ...]) -> Inspection:
        script = next((one for one in self._scripts if table.heads and _heads_of(one) == table.heads), None)
        if script is None:
            return Inspection(behind=True)
        planned = what_was_planned(
            self._task.database.planned, script, table.heads, lambda start: steps_to_heads(script, start)
        )
        return Inspection(
            current=table.heads, target=table.heads, replanned=planned, invalid_indexes=left, asked=(table,)
        )


def _heads_of(script: ScriptDirectory) -> tuple[str, ...]:
    """() for a history that cannot be loaded: the command will see that itself."""
    heads: list[str] = []
    call_guarded(lambda: heads.extend(map(str, script.get_heads())))
    return tuple(sorted(heads))
