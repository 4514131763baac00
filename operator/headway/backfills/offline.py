"""What a backfill is in a script (``--sql``): one plain statement, and a word on what is lost by that."""

from headway.backfills.known import Asked
from headway.place import Place


def write_script(place: Place, asked: Asked) -> None:
    """Into Alembic's output."""
    table = place.name(asked.schema, asked.table)
    assignments = ", ".join(f"{place.name(column)} = {sql}" for column, sql in asked.assignments)
    where = f" WHERE {asked.where}" if asked.where else ""
    place.write(
        "-- headway.backfill: online, this is done in batches of about 100 ms, each committed with its checkpoint.",
        "-- As one statement it locks all the rows that it updates until the end; on a large table run it in parts.",
        f"UPDATE {table} SET {assignments}{where}".replace("\\:", ":"),
    )
