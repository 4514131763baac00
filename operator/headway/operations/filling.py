"""The rows from before the triggers: filled by a backfill, whose end the contract step asks for."""

from sqlalchemy.engine import Connection

from headway.backfills.backfill import backfill
from headway.backfills.checkpoint import NAME, Checkpoint
from headway.columns.contracting import Standing
from headway.columns.expanding import Expanded
from headway.columns.wanted import CannotChange, assignment, unfilled
from headway.operations.column_work import Work
from headway.place import Place
from headway.statements import PLAIN, execute, literal, quoted, rows, shortened
from headway.sync.converter import converter, converter_removal
from headway.sync.names import identifier, qualified
from headway.sync.pair import Mark

LONGEST_NAME = 255
"""Characters that the checkpoint table has for an operation's name."""


def prepare(work: Work, expanded: Expanded) -> None:
    """A value that does not convert is left, as the triggers leave it; no statement on many rows may fail over it.

    So the conversion is asked through a function that says NULL then, and that is there only for the backfill.
    """
    if not expanded.pair.forward.is_total:
        work.briefly(lambda one: execute(one, converter(expanded.pair)))


def fill(expanded: Expanded) -> None:
    """Raises what :func:`headway.backfill` raises."""
    table, pair, mark = expanded.table, expanded.pair, expanded.mark
    if pair.forward.is_total:
        return _backfill(table.name, table.schema, mark, assignment(mark), unfilled(mark))
    old, new = identifier(mark.old), identifier(mark.new)
    called = f"{qualified(pair.schema, pair.converter)}({old})"
    where = f"{new} IS NULL AND {old} IS NOT NULL AND {called} IS NOT NULL"
    _backfill(table.name, table.schema, mark, called, where)


def tidy_up(work: Work, expanded: Expanded) -> None:
    """Also after an interrupted run."""
    if not expanded.pair.forward.is_total:
        pair = expanded.pair
        removal = converter_removal(qualified(pair.schema, pair.converter), pair.old.type)
        work.briefly(lambda one: execute(one, removal))


def fill_by_script(table: str, schema: str | None, mark: Mark) -> None:
    """The same offline: in pieces that commit each."""
    _backfill(table, schema, mark, assignment(mark), unfilled(mark))


def _backfill(table: str, schema: str | None, mark: Mark, value: str, where: str) -> None:
    backfill(
        table,
        {mark.new: value},
        where,
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
