"""Indexes made and dropped while the table is in use."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.sql import ClauseElement

from headway.blockers import Wanted as WantedLock
from headway.facts import Noticed, tell
from headway.operations.index_build import Building, IndexNotBuilt, drop
from headway.operations.index_catalog import index_named
from headway.operations.index_sql import Wanted
from headway.operations.index_state import Index
from headway.operations.partitioned_index import build_on_partitions
from headway.operations.tables import find_table
from headway.place import Beside, Place, here
from headway.sessions import OwnSession
from headway.short_locks import LONG, SHORT, Patience, with_short_locks
from headway.statements import PLAIN, clause, execute, quoted


def create_index_concurrently(
    index_name: "str | None",
    table_name: str,
    columns: "Sequence[str | ClauseElement]",
    schema: "str | None" = None,
    unique: bool = False,
    where: "str | ClauseElement | None" = None,
    using: "str | None" = None,
    include: "Sequence[str] | None" = None,
    patience: Patience = SHORT,
    **options: Any,
) -> None:
    """Build an index while the table is read and written, and end only with a valid one.

    A rerun goes on: a valid index of this name and definition is left as it is, an INVALID one (and a
    ``_ccnew`` that an interrupted REINDEX left beside it) is dropped concurrently and built again, one that
    another session is building is waited for. Commits what the revision did before, so give it a revision of
    its own.

    ``columns``: names, or ``sa.text("lower(email)")``, with an operator class if wanted (``sa.text("email
    text_pattern_ops")``). ``where``, ``using`` and ``include`` are those of PostgreSQL; ``options`` are the
    further ones of ``op.create_index`` (``postgresql_with={"fillfactor": 70}``). Without a name that of the
    naming conventions is taken.

    Locks: ``SHARE UPDATE EXCLUSIVE`` on the table, and waits for the transactions that use it, without a
    time-out; readers and writers are never held up. On a partitioned table each partition's index is built so;
    the parent's takes ``SHARE`` on the parents for a moment, each attachment ``ACCESS EXCLUSIVE`` on the
    partition's index, tried with ``patience``.

    Raises :class:`headway.operations.index_build.IndexNotBuilt`, :class:`headway.place.CannotCommit`,
    :class:`headway.operations.tables.NoSuchTable`, :class:`headway.short_locks.LockUnavailable`, and the
    server's refusals. Elsewhere than on PostgreSQL it is ``op.create_index``. Undone by
    :func:`drop_index_concurrently`.
    """
    place = here()
    if not place.is_postgres:
        tell(
            place.link, Noticed(f"The index of {table_name} is built as {place.dialect.name} builds indexes.")
        )
        return _plainly(place, index_name, table_name, columns, schema, unique, where, options)
    wanted = Wanted(
        place.context, index_name, table_name, columns, unique, _options(where, using, include, options)
    )
    if place.is_offline:
        return _write(place, wanted, schema)
    with place.beside() as beside, beside.session() as looks:
        table = looks.do(lambda one: find_table(one, table_name, place.schema(schema)))
        building = Building(beside, looks, wanted, table, wanted.name)
        if table.is_partitioned:
            build_on_partitions(building, patience)
        else:
            building.until_valid()


def drop_index_concurrently(
    index_name: str,
    table_name: "str | None" = None,
    schema: "str | None" = None,
    patience: Patience = SHORT,
    **options: Any,
) -> None:
    """Drop an index while the table is read and written; one that is not there (any more) is noticed and no failure.

    Locks: ``SHARE UPDATE EXCLUSIVE`` on the table, and waits for the transactions that use the table, 10 s at a
    time. Given up while it waits for those, it leaves the index INVALID: no query uses it any more, and the next
    run finishes the drop. The index of a partitioned table cannot be dropped concurrently: it takes ``ACCESS
    EXCLUSIVE`` on the table and its partitions for a moment, tried with ``patience``. Commits what the revision did
    before.

    Raises :class:`headway.operations.index_build.IndexNotBuilt` for the index of a constraint,
    :class:`headway.place.CannotCommit`, :class:`headway.short_locks.LockUnavailable`. Elsewhere than on
    PostgreSQL it is ``op.drop_index``, with ``options``. Undone by :func:`create_index_concurrently`.
    """
    place = here()
    if not place.is_postgres:
        tell(place.link, Noticed(f"The index {index_name} is dropped as {place.dialect.name} drops indexes."))
        place.operations.drop_index(index_name, table_name, schema=schema, **options)
        return
    if place.is_offline:
        with place.outside():
            place.write(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(PLAIN, schema, index_name)}")
        return
    with place.beside() as beside, beside.session() as looks:
        where = place.schema(schema)
        if where is None and table_name is not None:
            # An index is always in the schema of its table.
            where = looks.do(lambda one: find_table(one, table_name, None)).schema
        index = looks.do(lambda one: index_named(one, index_name, where))
        _drop_found(beside, looks, index_name, index, patience)


def _drop_found(
    beside: Beside, looks: OwnSession, name: str, index: "Index | None", patience: Patience
) -> None:
    link = beside.place.link
    if index is None:
        tell(link, Noticed(f"The index {name} is not there: nothing to drop."))
    elif index.constraint:
        raise IndexNotBuilt(
            f"The index {index.quoted} belongs to the constraint {index.constraint} of {index.table}. Drop that one "
            f"by op.drop_constraint()."
        )
    elif index.is_partitioned:
        statement, wanted = f"DROP INDEX IF EXISTS {index.quoted}", (WantedLock(index.table),)
        with_short_locks(looks, lambda one: execute(one, statement), wanted, link, patience)
    else:
        drop(beside, index, replace(LONG, give_up_after_seconds=patience.give_up_after_seconds))


def _options(
    where: "str | ClauseElement | None",
    using: "str | None",
    include: "Sequence[str] | None",
    options: "Mapping[str, Any]",
) -> "Mapping[str, Any]":
    given = {
        "postgresql_where": None if where is None else clause(where),
        "postgresql_using": using,
        "postgresql_include": None if include is None else list(include),
    }
    ours = {name: value for name, value in given.items() if value is not None}
    return {**{name: value for name, value in options.items() if name != "postgresql_concurrently"}, **ours}


def _plainly(
    place: Place,
    name: "str | None",
    table: str,
    columns: "Sequence[str | ClauseElement]",
    schema: "str | None",
    unique: bool,
    where: "str | ClauseElement | None",
    options: "Mapping[str, Any]",
) -> None:
    more = dict(options)
    if where is not None:
        if place.dialect.name != "sqlite":
            raise ValueError(f"{place.dialect.name} has no indexes of a part of the rows: leave out `where`.")
        more["sqlite_where"] = clause(where)
    place.operations.create_index(name, table, list(columns), schema=schema, unique=unique, **more)  # type: ignore[arg-type]


def _write(place: Place, wanted: Wanted, schema: "str | None") -> None:
    """The script; what it cannot do is said in it."""
    with place.outside():
        place.write(
            "-- Online, an INVALID index that an interrupted build left is dropped first, and a partitioned table",
            "-- gets its index partition by partition. Here: if this statement is interrupted, run",
            f"-- DROP INDEX CONCURRENTLY IF EXISTS {quoted(PLAIN, schema, wanted.name)};",
            "-- before it is run again.",
            wanted.statement(wanted.name, wanted.table, schema, concurrently=True),
        )
