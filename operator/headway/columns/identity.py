"""An identity that changes over to another column: the sequence is made anew where the old one stood.

PostgreSQL has no statement that moves it. Under ACCESS EXCLUSIVE nobody takes a number meanwhile.
"""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headway.statements import rows
from headway.sync.column import Column
from headway.sync.names import identifier, literal

SEQUENCE = """
    SELECT s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
           pg_catalog.format_type(s.seqtypid, NULL), l.last_value, l.is_called
    FROM pg_catalog.pg_sequence s, {name} l WHERE s.seqrelid = {regclass}::pg_catalog.regclass
"""
LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
"""A bound that is that of the type becomes that of the new type."""


@dataclass(frozen=True)
class Identity:
    """As it is on the old column."""

    is_always: bool
    sequence: str
    """Qualified and quoted."""
    options: str
    """Of the sequence, as CREATE SEQUENCE writes them."""
    last_value: int
    is_called: bool

    def made_anew(self, relation: str, new: str) -> tuple[str, ...]:
        """The statements for the new column, when the old one has gone and its sequence with it."""
        kind = "ALWAYS" if self.is_always else "BY DEFAULT"
        called = "true" if self.is_called else "false"
        return (
            f"ALTER TABLE {relation} ALTER COLUMN {identifier(new)} ADD GENERATED {kind} AS IDENTITY "
            f"(SEQUENCE NAME {self.sequence} {self.options})",
            f"SELECT pg_catalog.setval({literal(self.sequence)}, {self.last_value}, {called})",
        )


def read_identity(connection: Connection, column: Column) -> Identity | None:
    """None: it has none. In a transaction that holds ACCESS EXCLUSIVE on the table."""
    if not column.identity or column.sequence is None:
        return None
    ((start, step, smallest, largest, cache, cycles, type_, last, is_called),) = rows(
        connection, SEQUENCE.format(name=column.sequence, regclass=literal(column.sequence))
    )
    bound = LARGEST.get(type_)
    options = [
        f"START WITH {start} INCREMENT BY {step} CACHE {cache}",
        "" if smallest in (1, -(bound or 0) - 1) else f"MINVALUE {smallest}",
        "" if largest in (-1, bound) else f"MAXVALUE {largest}",
        "CYCLE" if cycles else "",
    ]
    return Identity(
        column.identity == "a", column.sequence, " ".join(one for one in options if one), last, is_called
    )
