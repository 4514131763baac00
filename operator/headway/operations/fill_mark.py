"""What a filling trigger fills a column with, as the comment on its function keeps it.

A rerun with another value finds the earlier ones here: rows that still hold what one of them gives are filled anew.
"""

import json
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headway.statements import literal, rows

MARKED = "headway fill "
_COMMENT = """
    SELECT coalesce(obj_description(tgfoid, 'pg_proc'), '') FROM pg_trigger
    WHERE tgrelid = {oid} AND tgname IN ({names}) AND NOT tgisinternal
"""


@dataclass(frozen=True)
class Filling:
    """The value, SQL over the columns of the row, and those of earlier runs that rows may still hold."""

    value: str
    before: "tuple[str, ...]" = ()

    def changed_to(self, value: str) -> "Filling":
        """What is to be filled now; the same value is the same filling."""
        known = dict.fromkeys((*self.before, self.value))
        return self if value == self.value else Filling(value, tuple(one for one in known if one != value))

    def comment(self) -> str:
        """Of the function."""
        return MARKED + json.dumps({"value": self.value, "before": self.before})


def read_filling(connection: Connection, oid: int, names: "tuple[str, ...]") -> "Filling | None":
    """Of the triggers with these names; None where one of them is missing, or somebody else has made them."""
    listed = ", ".join(literal(name) for name in names)
    with connection.begin():
        found = rows(connection, _COMMENT.format(oid=oid, names=listed))
    if len(found) < len(names) or not found[0][0].startswith(MARKED):
        return None
    facts = json.loads(found[0][0][len(MARKED) :])
    return Filling(facts["value"], tuple(facts["before"]))


def unfilled(column: str, type_: str, filling: Filling) -> str:
    """The rows that are yet to be filled, for a column (quoted) of this type."""
    value = f"({filling.value})"
    held = (
        f"(record_image_eq(ROW({column}), ROW(CAST(({one}) AS {type_}))) AND "
        f"record_image_ne(ROW(CAST({value} AS {type_})), ROW(CAST(({one}) AS {type_}))))"
        for one in filling.before
    )
    return " OR ".join((f"{column} IS NULL AND {value} IS NOT NULL", *held))
