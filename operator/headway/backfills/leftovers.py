"""Rows that sweeps have left: found in one snapshot, and updated where they lie. PostgreSQL."""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headway.backfills.clauses import Clauses
from headway.backfills.endings import MOST_LEFTOVERS
from headway.backfills.orders import Leaf, Left, Leftover, Outcome, Parked
from headway.backfills.queries import every
from headway.backfills.row_by_row import attempt

_THESE = "ctid = ANY (CAST(CAST(:rows AS text) AS tid[]))"


@dataclass(frozen=True)
class Leftovers:
    """Statements of one backfill; each is called inside a transaction."""

    clauses: Clauses

    def look(self, connection: Connection) -> Left:
        """All of the table in one snapshot; locks no row."""
        chosen, left = self.clauses.count(connection)
        if not 0 < chosen <= MOST_LEFTOVERS:
            return Left(chosen, left)
        alias = self.clauses.quote(self.clauses.known.table)
        found = every(
            connection,
            f"SELECT n.nspname, c.relname, c.oid, found.place FROM (SELECT {alias}.tableoid AS leaf, "
            f"CAST({alias}.ctid AS text) AS place FROM {self.clauses.root} WHERE {self.clauses.chosen} "
            f"LIMIT {MOST_LEFTOVERS}) AS found JOIN pg_catalog.pg_class c ON c.oid = found.leaf "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY c.oid",
        )
        # Another statement sees another moment: what counts is what this one found.
        rows = tuple(Leftover(Leaf(schema, name, int(oid)), row) for schema, name, oid, row in found)
        return Left(len(rows), left, rows)

    def update(self, connection: Connection, leaf: Leaf, rows: "tuple[str, ...]") -> Outcome:
        """One statement."""
        update = (
            f"UPDATE {self.clauses.source(leaf)} SET {self.clauses.assignments} "
            f"WHERE {_THESE} AND {self.clauses.chosen}"
        )
        updated, stuck = self.clauses.updated(connection, update, {"rows": _array(rows)}, shows_stuck=True)
        return Outcome(updated, len(rows), stuck=stuck)

    def update_each(self, connection: Connection, leaf: Leaf, rows: "tuple[str, ...]") -> Outcome:
        """A savepoint for each row."""
        return each_row(connection, self.clauses, leaf, _THESE, {"rows": _array(rows)})


def each_row(
    connection: Connection, clauses: Clauses, leaf: Leaf, place: str, values: "dict[str, str]"
) -> Outcome:
    """The rows of a place, each in a savepoint; those that cannot be updated are parked by key.

    What chooses them is asked in the savepoint, too: it may be what the row does not allow.
    """
    source = clauses.source(leaf)
    keys = "".join(f", CAST({clauses.quote(column.name)} AS text)" for column in clauses.known.key)
    update = (
        f"UPDATE {source} SET {clauses.assignments} "
        f"WHERE ctid = CAST(CAST(:row AS text) AS tid) AND {clauses.chosen}"
    )
    updated, parked = 0, []
    select = f"SELECT CAST(ctid AS text){keys} FROM {source} WHERE {place}"
    for row, *key in every(connection, select, **values):
        done, code = attempt(connection, update, {"row": row})
        updated += done
        if code is not None:
            parked.append(Parked(leaf.identity, tuple(key) or (f"ctid {row}",), code))
    return Outcome(updated, 1, parked=tuple(parked))


def _array(rows: "tuple[str, ...]") -> str:
    return "{" + ",".join(f'"{row}"' for row in rows) + "}"
