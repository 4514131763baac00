"""Where the steps of a column's change work: a session beside Alembic's transaction, on one table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.engine import Connection

from headway.blockers import Wanted as Lock
from headway.operations import tables
from headway.place import Beside
from headway.sessions import OwnSession
from headway.short_locks import Patience, with_short_locks
from headway.sync.column import Table

T = TypeVar("T")


@dataclass(frozen=True)
class Work:
    """A session beside Alembic's, and the table."""

    beside: Beside
    session: OwnSession
    table: Table
    patience: Patience

    def read(self, work: Callable[[Connection], T]) -> T:
        """In one transaction, with the time-outs of the session."""

        def once(connection: Connection) -> T:
            with connection.begin():
                return work(connection)

        return self.session.do(once)

    def briefly(self, work: Callable[[Connection], T], others: tuple[str, ...] = ()) -> T:
        """In one transaction that waits for its locks only for moments, again and again.

        ``others``: tables, quoted, that it locks as well; who blocks them is named, too.
        """
        found: list[T] = []
        relation = tables.Table(self.table.oid, self.table.schema, self.table.name, self.table.is_partitioned)
        with_short_locks(
            self.session,
            lambda connection: found.append(work(connection)),
            tuple(Lock(one) for one in dict.fromkeys((relation.quoted, *others))),
            self.beside.place.link,
            self.patience,
        )
        return found[-1]
