"""Foreign keys added while both tables are in use."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.engine import Connection

from headway.blockers import Wanted as WantedLock
from headway.facts import Noticed, tell
from headway.operations import plainly
from headway.operations.constraint_catalog import REFERENT, constraints_of, foreign_key_wanted
from headway.operations.constraint_sql import ForeignKeyWanted
from headway.operations.constraint_state import Add, Step, next_step
from headway.operations.constraint_work import Work
from headway.operations.script import validation, write_steps
from headway.operations.site import Site, site
from headway.operations.tables import COPY, Table, find_table, leaves_of
from headway.place import Place, here
from headway.short_locks import SHORT, Patience
from headway.statements import PLAIN, literal, quoted, rows

NOT_VALID_ON_PARTITIONED = 180000
"""The first server version that adds a NOT VALID foreign key to a partitioned table."""
_HAS_INDEX = """
SELECT 1 FROM pg_index x WHERE x.indrelid = {oid} AND x.indisvalid AND x.indpred IS NULL
AND (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a
  WHERE a.attrelid = x.indrelid AND a.attnum = ANY ((x.indkey::int2[])[0:{last}])) = ARRAY[{names}]
"""


def add_foreign_key_online(
    constraint_name: "str | None",
    source_table: str,
    referent_table: str,
    local_cols: "Sequence[str]",
    remote_cols: "Sequence[str]",
    onupdate: "str | None" = None,
    ondelete: "str | None" = None,
    deferrable: "bool | None" = None,
    initially: "str | None" = None,
    match: "str | None" = None,
    source_schema: "str | None" = None,
    referent_schema: "str | None" = None,
    patience: Patience = SHORT,
) -> None:
    """Add a foreign key while both tables are read and written: NOT VALID first, then validated.

    A rerun goes on: a constraint of this name and definition is validated if it is not yet, and left as it is if it
    is. Without a name that of the naming conventions is taken. When no index begins with the referencing columns,
    that is noticed. On a partitioned table before PostgreSQL 18 each partition gets it so, and then the table, which
    takes over those of its partitions. Commits what the revision did before, so give it a revision of its own.

    Locks: ``SHARE ROW EXCLUSIVE`` on both tables for a moment (ADD … NOT VALID), which holds up writers, tried with
    ``patience``; then ``SHARE UPDATE EXCLUSIVE`` on the referencing and ``ROW SHARE`` on the other table, which hold
    up neither readers nor writers, while all rows are read (VALIDATE). Taking it back is ``ACCESS EXCLUSIVE`` on both
    for a moment.

    Raises :class:`headway.operations.constraint_work.RowsInTheWay` when rows refer to none (it is taken back then,
    from the other partitions too), :class:`headway.operations.constraint_work.ConstraintRefused`,
    :class:`headway.place.CannotCommit`, :class:`headway.operations.tables.NoSuchTable`,
    :class:`headway.short_locks.LockUnavailable`. Elsewhere than on PostgreSQL it is ``op.create_foreign_key``. Undone
    by :func:`headway.drop_constraint_online`.
    """
    place = here()
    options = _given(
        onupdate=onupdate, ondelete=ondelete, deferrable=deferrable, initially=initially, match=match
    )
    if not place.is_postgres:
        tell(place.link, Noticed(f"The foreign key is added as {place.dialect.name} adds foreign keys."))
        tables, columns = (source_table, referent_table), (local_cols, remote_cols)
        return plainly.add_foreign_key(
            place, constraint_name, tables, columns, (source_schema, referent_schema), options
        )
    wanted = ForeignKeyWanted(
        place.context, constraint_name, source_table, referent_table, local_cols, remote_cols, options
    )
    if place.is_offline:
        return _write(place, wanted, source_schema, referent_schema)
    with site(place, source_table, source_schema, patience) as at:
        referent = at.session.do(lambda one: find_table(one, referent_table, place.schema(referent_schema)))
        _add(_Tables(at, wanted, referent))


@dataclass(frozen=True)
class _Tables:
    """A foreign key on one table: the given one, or one of its partitions."""

    site: Site
    wanted: ForeignKeyWanted
    referent: Table

    def until_valid(
        self, not_valid: bool = True, others: "tuple[Work, ...]" = (), elsewhere: str = ""
    ) -> "tuple[Step, ...]":
        """The steps that it took; ``others`` and ``elsewhere`` as in :class:`Work`."""
        name, session, table = self.wanted.name, self.site.session, self.site.table
        on_copy = self.wanted.statement(COPY, "pg_temp", REFERENT, "pg_temp")
        columns = ", ".join(quoted(PLAIN, column) for column in self.wanted.remote_cols)

        def step() -> Step:
            definition = session.do(
                lambda one: foreign_key_wanted(one, table, self.referent, columns, name, on_copy)
            )
            return next_step(name, session.do(lambda one: constraints_of(one, table)), definition)

        add = self.wanted.statement(
            table.name, table.schema, self.referent.name, self.referent.schema, not_valid=not_valid
        )
        return replace(self.work(), others=others, elsewhere=elsewhere).until_valid(step, add)

    def work(self) -> Work:
        """What its steps share."""
        name, tables = self.wanted.name, (self.site.table, self.referent)
        why = f"they refer to no row of {self.referent.quoted}"
        return Work(
            self.site,
            name,
            tuple(WantedLock(one.quoted, "SHARE ROW EXCLUSIVE") for one in tables),
            self._orphans(),
            f"the foreign key {name}: {why}{', or are NULL in part' if self._is_full else ''}",
        )

    @property
    def _is_full(self) -> bool:
        """A key of several columns that may be NULL only as a whole (``MATCH FULL``)."""
        match = str(self.wanted.options.get("match", ""))
        return match.upper() == "FULL" and len(self.wanted.local_cols) > 1

    def _orphans(self) -> str:
        pairs = [
            (f"s.{quoted(PLAIN, local)}", f"r.{quoted(PLAIN, remote)}")
            for local, remote in zip(self.wanted.local_cols, self.wanted.remote_cols, strict=True)
        ]
        given = (" OR " if self._is_full else " AND ").join(f"{local} IS NOT NULL" for local, _ in pairs)
        same = " AND ".join(f"{remote} = {local}" for local, remote in pairs)
        return (
            f"FROM {self.site.table.quoted} s WHERE ({given}) "
            f"AND NOT EXISTS (SELECT 1 FROM {self.referent.quoted} r WHERE {same})"
        )


def _add(tables: _Tables) -> None:
    session, table = tables.site.session, tables.site.table
    in_parts = table.is_partitioned and session.do(_version) < NOT_VALID_ON_PARTITIONED
    if in_parts:
        _add_to_each(tables, session.do(lambda one: leaves_of(one, table)))
    tables.until_valid(not_valid=not in_parts)
    if not session.do(lambda one: _has_index(one, table, tables.wanted.local_cols)):
        columns = ", ".join(tables.wanted.local_cols)
        tell(
            tables.site.beside.place.link,
            Noticed(
                f"No index of {table.quoted} begins with ({columns}): each DELETE and each change of a key in "
                f"{tables.referent.quoted} reads the whole table. create_index_concurrently() makes one."
            ),
        )


def _add_to_each(tables: _Tables, leaves: "tuple[Table, ...]") -> None:
    """When rows of one partition are in the way, what was added to the earlier ones is taken back as well."""
    added: list[Work] = []
    elsewhere = ""
    for leaf in leaves:
        part = replace(tables, site=replace(tables.site, table=leaf))
        taken = part.until_valid(others=tuple(added), elsewhere=elsewhere)
        if Add() in taken:
            added.append(part.work())
        elif taken:
            elsewhere = f"That of {leaf.quoted} was NOT VALID before, and is valid now. {elsewhere}".strip()


def _version(connection: Connection) -> int:
    with connection.begin():
        return int(rows(connection, "SELECT current_setting('server_version_num')")[0][0])


def _has_index(connection: Connection, table: Table, columns: "Sequence[str]") -> bool:
    names = ", ".join(literal(name) for name in sorted(columns))
    with connection.begin():
        return bool(rows(connection, _HAS_INDEX.format(oid=table.oid, last=len(columns) - 1, names=names)))


def _given(**options: Any) -> "dict[str, Any]":
    return {name: value for name, value in options.items() if value is not None}


def _write(
    place: Place, wanted: ForeignKeyWanted, schema: "str | None", referent_schema: "str | None"
) -> None:
    write_steps(
        place,
        wanted.statement(wanted.source, schema, wanted.referent, referent_schema),
        validation(quoted(PLAIN, schema, wanted.source), wanted.name),
    )
