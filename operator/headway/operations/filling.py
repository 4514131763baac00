"""The rows from before the triggers: filled by a backfill, whose end the contract step asks for."""

from sqlalchemy.engine import Connection

from headway.backfills.backfill import backfill
from headway.backfills.checkpoint import NAME, Checkpoint
from headway.columns.contracting import Standing
from headway.columns.expanding import Expanded
from headway.columns.wanted import CannotChange, assignment, unfilled
from headway.place import Place
from headway.statements import PLAIN, literal, quoted, rows, shortened
from headway.sync.pair import Mark

LONGEST_NAME = 255
"""Characters that the checkpoint table has for an operation's name."""


def fill(expanded: Expanded) -> None:
    """Raises what :func:`headway.backfill` raises."""
    _backfill(expanded.table.name, expanded.table.schema, expanded.mark)


def fill_by_script(table: str, schema: str | None, mark: Mark) -> None:
    """The same offline: one UPDATE."""
    _backfill(table, schema, mark)


def _backfill(table: str, schema: str | None, mark: Mark) -> None:
    backfill(
        table,
        {mark.new: assignment(mark)},
        unfilled(mark),
        schema=schema,
        name=name_of(mark),
        synced=True,
        exactly_once=False,
        # Once, when the indexes are there too.
        analyze=False,
    )


def name_of(mark: Mark) -> str:
    """Under which the backfill keeps where it is."""
    return shortened(mark.operation, LONGEST_NAME)


def refuse_unfinished(connection: Connection, place: Place, it: Standing) -> None:
    """Raises :class:`headway.columns.wanted.CannotChange` unless the backfill was written down as complete."""
    schema = place.context.version_table_schema
    table = quoted(PLAIN, schema, NAME)
    ((is_there,),) = rows(connection, f"SELECT to_regclass({literal(table)}) IS NOT NULL")
    row = Checkpoint(name_of(it.found.mark), "", schema).read(connection) if is_there else None
    if row is None or not row.is_complete:
        raise CannotChange(
            f"{it.table.schema}.{it.table.name}.{it.pair.old.name} cannot be given up yet: the backfill of "
            f"{it.pair.new.name} {'was not begun' if row is None else 'is not complete'}. Run the expand step "
            "again (it goes on where it stopped), then this one. Nothing was changed."
        )
