"""Where an operation works: in a session beside Alembic's transaction, on one table."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headway.blockers import Wanted
from headway.operations.tables import Table, find_table
from headway.place import Beside, Place
from headway.sessions import OwnSession
from headway.short_locks import Patience, with_short_locks
from headway.statements import execute


@dataclass(frozen=True)
class Site:
    """The session, the table, and how long its locks may be waited for."""

    beside: Beside
    session: OwnSession
    table: Table
    patience: Patience

    def shortly(self, *statements: str, locks: "tuple[Wanted, ...]" = ()) -> None:
        """In one transaction with short waits for its locks; ``locks``: default ACCESS EXCLUSIVE on the table."""

        def work(connection: Connection) -> None:
            for statement in statements:
                execute(connection, statement)

        wanted = locks or (Wanted(self.table.quoted),)
        with_short_locks(self.session, work, wanted, self.beside.place.link, self.patience)


@contextmanager
def site(place: Place, table_name: str, schema: "str | None", patience: Patience) -> Iterator[Site]:
    """Leave Alembic's transaction; raises :class:`headway.place.CannotCommit` and
    :class:`headway.operations.tables.NoSuchTable`.
    """
    with place.beside() as beside, beside.session() as session:
        table = session.do(lambda one: find_table(one, table_name, place.schema(schema)))
        yield Site(beside, session, table, patience)
