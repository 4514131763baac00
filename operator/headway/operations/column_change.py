"""The steps that a new name and a new type of a column have in common, in their order.

Each looks in the catalog what is done already, so an interrupted run is begun again from the first one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection

from headway.columns.belongings import referring
from headway.columns.contracting import Standing, contract, refuse_what_is_lost, standing, undo
from headway.columns.copies import Copies, copies_of
from headway.columns.copying import Copying
from headway.columns.expanding import expand
from headway.columns.judge import CONTRACT, UNDO
from headway.columns.settling import analyze, canonical, look_before, probe, told_of, user_path
from headway.columns.wanted import CannotChange, Wanted
from headway.facts import Noticed, tell
from headway.operations import tables
from headway.operations.column_work import Work
from headway.operations.filling import fill, prepare, refuse_unfinished, tidy_up
from headway.operations.not_null import make_not_null
from headway.operations.site import site
from headway.place import Place
from headway.short_locks import Patience
from headway.sync.column import Table, find_column, find_table


@dataclass(frozen=True)
class Change:
    """A change of one column that a revision asks for."""

    place: Place
    table_name: str
    schema: str | None
    wanted: Wanted
    patience: Patience

    @contextmanager
    def work(self) -> Iterator[Work]:
        """Leave Alembic's transaction; raises what :meth:`headway.place.Place.beside` raises, and
        :class:`headway.operations.tables.NoSuchTable`."""
        with site(self.place, self.table_name, self.schema, self.patience) as at:
            named = at.table
            unread = Work(
                at.beside, at.session, Table(named.oid, named.schema, named.name, "", False), self.patience
            )
            table = unread.read(lambda one: find_table(one, named.schema, named.name))
            if table is None:
                raise tables.NoSuchTable(
                    f"The table {named.quoted} went away meanwhile. Run the revision again."
                )
            yield replace(unread, table=table)

    def expand(self) -> None:
        """The new column and its triggers, the rows from before, and copies of what hangs on the old column."""
        with self.work() as work:
            path = work.read(user_path)
            wanted = self._settled(work, path)
            expanded = work.briefly(lambda one: expand(one, work.table, wanted, path))
            prepare(work, expanded)
        fill(expanded)
        with self.work() as work:
            tidy_up(work, expanded)
            copies = copies_of(expanded.belongings, wanted.kind, wanted.old, wanted.new)
            self._copy(work, copies)
            work.read(lambda one: analyze(one, work.table))
        if wanted.is_rename and not expanded.old.is_nullable:
            new = self.wanted.new
            self._set_not_null(f"The column {new} stays, and triggers keep it and {self.wanted.old} equal.")
        for message in told_of(expanded):
            tell(self.place.link, Noticed(message))

    def _settled(self, work: Work, path: str) -> Wanted:
        """With the type as the server writes it, and no row that would not come through."""
        wanted = self.wanted
        if wanted.type is None:
            return wanted
        type_ = wanted.type
        settled = replace(wanted, type=work.read(lambda one: canonical(one, type_)))
        work.read(lambda one: probe(one, work.table, settled, path))
        work.read(lambda one: look_before(one, work.table, settled, path))
        return settled

    def _copy(self, work: Work, copies: Copies) -> None:
        named = tables.Table(work.table.oid, work.table.schema, work.table.name, work.table.is_partitioned)
        Copying(work.beside, work.session, named, self.patience).all(copies)

    def _set_not_null(self, elsewhere: str = "") -> None:
        column = self.wanted.new
        make_not_null(self.place, self.table_name, column, self.schema, self.patience, elsewhere)

    def contract(self) -> None:
        """Look that nothing is lost, and give up the old column."""
        with self.work() as work:
            it = work.read(lambda one: standing(one, work.table, self.wanted.old, self.wanted.new))
            if it is None:
                return self._look_whether_it_is_done(work)
            work.read(lambda one: refuse_unfinished(one, self.place, it))
            work.read(lambda one: refuse_what_is_lost(one, it, CONTRACT))
            is_nullable = it.pair.is_old_nullable
        if not is_nullable:
            self._set_not_null()
        with self.work() as work:
            others = work.read(lambda one: _referring(one, work, it.pair.old.name))
            work.briefly(lambda one: contract(one, _still(one, work, it)), others)

    def _look_whether_it_is_done(self, work: Work) -> None:
        name = f"{work.table.schema}.{work.table.name}.{self.wanted.old}"
        if self.wanted.type is None:
            old, new = (
                work.read(lambda one: find_column(one, work.table, column))  # noqa: B023
                for column in (self.wanted.old, self.wanted.new)
            )
            is_done = old is None and new is not None
        else:
            type_ = self.wanted.type
            old = work.read(lambda one: find_column(one, work.table, self.wanted.old))
            is_done = old is not None and old.type == work.read(lambda one: canonical(one, type_))
        if not is_done:
            raise CannotChange(
                f"{name} cannot be given up: no triggers keep it and {self.wanted.new} equal. Run the expand step in "
                "an earlier revision. Nothing was changed."
            )
        tell(self.place.link, Noticed(f"{name} was given up by an earlier run: nothing to do."))

    def undo(self) -> None:
        """Look that nothing is lost, and give up the new column."""
        with self.work() as work:
            it = work.read(lambda one: standing(one, work.table, self.wanted.old, self.wanted.new))
            if it is None:
                return self._undo_what_is_reversed(work)
            work.read(lambda one: refuse_what_is_lost(one, it, UNDO))
            others = work.read(lambda one: _referring(one, work, it.pair.new.name))
            work.briefly(lambda one: undo(one, _still(one, work, it)), others)

    def _undo_what_is_reversed(self, work: Work) -> None:
        """A downgrade of the contract step expanded the other way: then this is its contract step."""
        wanted = self.wanted
        back = (
            work.read(lambda one: standing(one, work.table, wanted.new, wanted.old))
            if wanted.is_rename
            else None
        )
        if back is not None:
            return replace(self, wanted=replace(wanted, old=wanted.new, new=wanted.old)).contract()
        name = f"{work.table.schema}.{work.table.name}.{wanted.new}"
        if work.read(lambda one: find_column(one, work.table, wanted.new)) is None:
            tell(self.place.link, Noticed(f"{name} is not there: nothing to undo."))
            return
        raise CannotChange(
            f"No triggers keep {name} and {wanted.old} equal, so what is in it may be nowhere else. If it is not "
            "wanted, drop it by op.drop_column(). Nothing was changed."
        )


def _referring(connection: Connection, work: Work, column: str) -> tuple[str, ...]:
    found = find_column(connection, work.table, column)
    return () if found is None else referring(connection, work.table, found.number)


def _still(connection: Connection, work: Work, it: Standing) -> Standing:
    """As it is now; raises :class:`CannotChange` when somebody has changed it meanwhile."""
    now = standing(connection, work.table, it.pair.old.name, it.pair.new.name)
    if now is None or not now.found.is_enabled:
        raise CannotChange(
            f"The triggers of {work.table.schema}.{work.table.name} were changed meanwhile. Run the revision again."
        )
    return now
