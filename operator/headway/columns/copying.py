"""Building the copies of what hangs on a column, each without holding anybody up and each to be run again.

Locks: SHARE UPDATE EXCLUSIVE for indexes and validations; SHARE ROW EXCLUSIVE or ACCESS EXCLUSIVE for a moment to add
a constraint.
"""

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy.engine import Connection

from headway.blockers import Wanted as Lock
from headway.columns.copies import ConstraintCopy, Copies, IndexCopy
from headway.columns.swap import deferrable
from headway.operations.index_build import Building
from headway.operations.partitioned_index import build_on_partitions
from headway.operations.tables import Table
from headway.place import Beside
from headway.sessions import OwnSession
from headway.short_locks import LONG, Patience, with_short_locks
from headway.statements import execute, rows
from headway.sync.names import identifier, literal, qualified

CONSTRAINT = """
    SELECT k.convalidated FROM pg_catalog.pg_constraint k
    WHERE k.conrelid = {relation}::pg_catalog.regclass AND k.conname = {name}
"""
VALID_INDEX = """
    SELECT i.indisvalid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = {oid} AND c.relname = {name}
"""


@dataclass(frozen=True)
class Copying:
    """What the steps share."""

    beside: Beside
    session: OwnSession
    table: Table
    patience: Patience

    def all(self, copies: Copies) -> None:
        """In an order in which each finds what it needs: a reference to the column needs its unique index."""
        for index in copies.indexes:
            self._index(index)
        for constraint in (*copies.constraints, *copies.incoming):
            self._constraint(constraint)

    def _index(self, copy: IndexCopy) -> None:
        if not copy.original.is_valid:
            # Nobody uses it; a copy would be the first to be complete.
            return
        # It has what is asked of one that is described by columns: `unique` and `statement()`.
        building = Building(self.beside, self.session, cast(Any, copy), self.table, copy.name)
        if self.table.is_partitioned:
            build_on_partitions(building, self.patience)
        else:
            building.until_valid()
        if copy.original.constraint_kind == "u":
            self._unique(copy)

    def _unique(self, copy: IndexCopy) -> None:
        relation, name = qualified(self.table.schema, self.table.name), identifier(copy.name)
        self._briefly(
            relation,
            copy.name,
            f"ALTER TABLE {relation} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}{deferrable(copy)}",
        )

    def _constraint(self, copy: ConstraintCopy) -> None:
        original, name = copy.original, identifier(copy.name)
        self._briefly(
            original.relation,
            copy.name,
            f"ALTER TABLE {original.relation} ADD CONSTRAINT {name} {original.definition} NOT VALID",
        )
        if original.is_valid and not self.session.do(
            lambda one: _is_validated(one, original.relation, copy.name)
        ):
            statement = f"ALTER TABLE {original.relation} VALIDATE CONSTRAINT {name}"
            wanted = (Lock(original.relation, "SHARE UPDATE EXCLUSIVE"),)
            with_short_locks(
                self.session, lambda one: _long(one, statement), wanted, self.beside.place.link, LONG
            )

    def _briefly(self, relation: str, name: str, statement: str) -> None:
        """Add a constraint, unless an earlier run has."""

        def work(connection: Connection) -> None:
            if not rows(connection, CONSTRAINT.format(relation=literal(relation), name=literal(name))):
                execute(connection, statement)

        with_short_locks(self.session, work, (Lock(relation),), self.beside.place.link, self.patience)


def _long(connection: Connection, statement: str) -> None:
    execute(connection, "SET LOCAL statement_timeout = 0")
    execute(connection, statement)


def _is_validated(connection: Connection, relation: str, name: str) -> bool:
    with connection.begin():
        found = rows(connection, CONSTRAINT.format(relation=literal(relation), name=literal(name)))
    return bool(found and found[0][0])


def missing(connection: Connection, oid: int, copies: Copies) -> tuple[str, ...]:
    """Names of originals whose copy is not there, or not valid where the original is; in a transaction."""
    lost = [
        one.original.name
        for one in copies.indexes
        if one.original.is_valid
        and rows(connection, VALID_INDEX.format(oid=oid, name=literal(one.name))) != [(True,)]
    ]
    for one in (*copies.constraints, *copies.incoming):
        found = rows(
            connection, CONSTRAINT.format(relation=literal(one.original.relation), name=literal(one.name))
        )
        if not found or (one.original.is_valid and not found[0][0]):
            lost.append(one.original.name)
    unique = [one for one in copies.indexes if one.original.constraint_kind == "u"]
    relation = "(SELECT {oid}::oid)".format(oid=oid)
    lost += [
        one.original.name
        for one in unique
        if not rows(connection, CONSTRAINT.format(relation=relation, name=literal(one.name)))
        and one.original.name not in lost
    ]
    return tuple(lost)
