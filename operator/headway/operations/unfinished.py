"""What the checkpoint table says of the backfills of a column."""

from sqlalchemy.engine import Connection

from headway.backfills.checkpoint import NAME
from headway.place import Place
from headway.statements import PLAIN, execute, literal, quoted, rows

_OF_COLUMN = "table_name = {table} AND {column} = ANY (string_to_array(columns, ', '))"


def unfinished_backfill(connection: Connection, place: Place, table: str, column: str) -> str:
    """The name of a backfill of this column that was begun and is not complete, "" when there is none.

    One of the same columns that was completed since counts in its place: a revision that is split or renamed begins
    under another name, and the row of the old one stays as it is.
    """
    checkpoints = _checkpoints(place)
    with connection.begin():
        if not _is_there(connection, checkpoints):
            return ""
        which = _OF_COLUMN.format(table=literal(table), column=literal(column))
        found = rows(
            connection,
            f"SELECT operation FROM {checkpoints} b WHERE {which} AND NOT is_complete AND NOT EXISTS "
            f"(SELECT FROM {checkpoints} c WHERE c.table_name = b.table_name AND c.columns = b.columns "
            "AND c.operation <> b.operation AND c.is_complete AND c.finished_at >= b.updated_at) LIMIT 1",
        )
    return str(found[0][0]) if found else ""


def forget_backfills(connection: Connection, place: Place, table: str, column: str) -> None:
    """Inside a transaction: a column of this name that comes again is filled again."""
    checkpoints = _checkpoints(place)
    if _is_there(connection, checkpoints):
        execute(
            connection,
            f"DELETE FROM {checkpoints} WHERE table_name = {literal(table)} AND columns = {literal(column)}",
        )


def _checkpoints(place: Place) -> str:
    return quoted(PLAIN, place.context.version_table_schema, NAME)


def _is_there(connection: Connection, checkpoints: str) -> bool:
    ((is_there,),) = rows(connection, f"SELECT to_regclass({literal(checkpoints)}) IS NOT NULL")
    return bool(is_there)
