"""Where a column can be changed so: on PostgreSQL."""

from headway.columns.wanted import CannotChange
from headway.place import Place, here


def place_on_postgres(operation: str) -> Place:
    """The place of the revision; raises :class:`CannotChange` on another database."""
    place = here()
    if not place.is_postgres:
        raise CannotChange(
            f"{operation}() keeps two columns equal by triggers of PostgreSQL, and this database is "
            f"{place.dialect.name}. There use op.alter_column() while no old code runs. Nothing was changed."
        )
    return place
