"""An index on a partitioned table: PostgreSQL builds none concurrently there, so each partition gets its own.

Rule: the parents' indexes come first, on them alone (``ON ONLY``), so that a partition that is made meanwhile
gets its index by itself, and a definition that cannot be is refused before hours of work. The parent's index
becomes valid when the last partition's is attached.
"""

from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection

from headway.blockers import Wanted as WantedLock
from headway.operations.index_build import Building, IndexNotBuilt
from headway.operations.index_catalog import indexes_of
from headway.operations.index_state import Index
from headway.operations.tables import Table
from headway.short_locks import Patience, stop_if_wished, with_short_locks
from headway.statements import execute, rows, shortened

# Foreign tables have no indexes, and the parent's index does not wait for any.
_TREE = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind = 'p', p.parentrelid::oid::bigint
FROM pg_partition_tree({oid}) p JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') ORDER BY p.level, c.oid
"""


@dataclass(frozen=True)
class Member:
    """A table of the tree of partitions; the root has no parent."""

    table: Table
    parent: "int | None"


PASSES = 10
"""Over the tree: partitions may be attached while it is worked on."""


def build_on_partitions(building: Building, patience: Patience) -> None:
    """Until the parent's index is valid; raises what building one index raises."""
    for _ in range(PASSES):
        members = building.looks.do(lambda one: _tree(one, building.table))
        done: dict[int, Index] = {}
        for member in members:
            stop_if_wished(building.beside.place.link)
            own = replace(building, table=member.table, name=name_on(building, member))
            done[member.table.oid] = _on_member(own, member, done, patience)
        # A partition that was attached meanwhile is found by the next look.
        if _is_valid(building):
            return
    raise IndexNotBuilt(
        f"The index {building.name} of {building.table.quoted} is not valid, although each partition has one. Look "
        "for an INVALID index among them (pg_index.indisvalid), REINDEX INDEX CONCURRENTLY it, and run again."
    )


def name_on(building: Building, member: Member) -> str:
    """The given name for the root; for a partition its own name after it."""
    return building.name if member.parent is None else shortened(f"{building.name}_{member.table.name}")


def _tree(connection: Connection, table: Table) -> "tuple[Member, ...]":
    with connection.begin():
        found = rows(connection, _TREE.format(oid=table.oid))
    return tuple(
        Member(
            Table(int(oid), schema, name, bool(is_partitioned)),
            None if int(oid) == table.oid else int(parent),
        )
        for oid, schema, name, is_partitioned, parent in found
    )


def _is_valid(building: Building) -> bool:
    indexes = building.looks.do(lambda one: indexes_of(one, building.table, building.name))
    return any(one.name == building.name and one.is_valid for one in indexes)


def _on_member(own: Building, member: Member, done: "dict[int, Index]", patience: Patience) -> Index:
    """Its index, attached to that of its parent."""
    above = None if member.parent is None else done[member.parent]
    if above is not None:
        indexes = own.looks.do(lambda one: indexes_of(one, own.table, own.name))
        attached = next((one for one in indexes if one.parent == above.oid), None)
        if attached is not None:
            return attached
    index = _parent_index(own, patience) if member.table.is_partitioned else own.until_valid()
    if above is not None:
        _attach(own, index, above, patience)
    return index


def _parent_index(own: Building, patience: Patience) -> Index:
    """``CREATE INDEX ON ONLY`` unless it is there; raises :class:`IndexNotBuilt` over another one of its name."""
    wanted = own.definition()
    for is_last in (False, True):
        indexes = own.looks.do(lambda one: indexes_of(one, own.table, own.name))
        found = next((one for one in indexes if one.name == own.name), None)
        if found is not None and (found.table_oid != own.table.oid or wanted not in (None, found.definition)):
            raise IndexNotBuilt(
                f"The index {found.quoted} of {found.table} is there with another definition. It is: "
                f"{found.definition}. Wanted on {own.table.quoted}: {wanted}. Drop it, or give this one another name."
            )
        if found is not None:
            return found
        if not is_last:
            statement = own.wanted.statement(own.name, own.table.name, own.table.schema, only=True)
            _shortly(own, statement, WantedLock(own.table.quoted, "SHARE"), patience)
    raise IndexNotBuilt(f"The index {own.name} of {own.table.quoted} was dropped while it was built.")


def _attach(own: Building, index: Index, above: Index, patience: Patience) -> None:
    statement = f"ALTER INDEX {above.quoted} ATTACH PARTITION {index.quoted}"
    _shortly(own, statement, WantedLock(index.quoted), patience)


def _shortly(own: Building, statement: str, lock: WantedLock, patience: Patience) -> None:
    with_short_locks(own.looks, lambda one: execute(one, statement), (lock,), own.beside.place.link, patience)
