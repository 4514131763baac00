"""The table in which a backfill writes down, in each batch's own transaction, where it is.

Rule: who works holds the newest fencing token. It is in the condition of every write, so a runner that
somebody else has taken over from cannot commit a batch any more, however late it wakes up.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    MetaData,
    String,
    Table,
    Text,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.engine import Connection

from headway.backfills.state import State
from headway.backfills.stored import as_text

NAME = "headway_backfill"
STALE_SECONDS = 60
"""A runner that lives writes at least every ten seconds; behind a pooler its session tells nothing."""
_ALIVE = {
    "postgresql": "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE CAST(pid AS text) = :number "
    "AND CAST(extract(epoch FROM backend_start) AS text) = :started",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE id = :number AND :started = '0'",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE id = :number AND :started = '0'",
}
_SELF = {
    "postgresql": "SELECT pid || ' ' || extract(epoch FROM backend_start) FROM pg_catalog.pg_stat_activity "
    "WHERE pid = pg_backend_pid()",
    "mysql": "SELECT concat(connection_id(), ' 0')",
    "mariadb": "SELECT concat(connection_id(), ' 0')",
}


_TAKEN = (
    "Another runner has taken over the backfill {}. Nothing is lost: it goes on from the last batch that "
    "was committed here. Run one migration of a database at a time."
)


class TakenOver(Exception):
    """Another runner goes on with this backfill; nothing of the last batch was kept."""


@dataclass(frozen=True)
class Row:
    """What the table says of one backfill."""

    fence: int
    owner: str
    digest: str
    signature: str
    choice: str
    state: str
    is_complete: bool
    idle_seconds: float
    """Since it was last written, by the server's clock."""


@dataclass(frozen=True)
class Checkpoint:
    """One backfill's row; every method must be called inside a transaction."""

    operation: str
    token: str
    """Of this run: another session of the same run is no other runner."""
    schema: "str | None" = None

    @cached_property
    def table(self) -> Table:
        """In the schema of Alembic's version table."""
        return Table(
            NAME,
            MetaData(),
            Column("operation", String(255), primary_key=True),
            Column("table_name", String(255), nullable=False),
            Column("columns", Text, nullable=False),
            Column("rows_done", BigInteger, nullable=False),
            Column("is_complete", Boolean, nullable=False),
            Column("fence", BigInteger, nullable=False),
            Column("owner", String(100), nullable=False),
            Column("digest", String(64), nullable=False),
            Column("signature", String(255), nullable=False),
            Column("choice", Text, nullable=False),
            Column("state", Text, nullable=False),
            Column("started_at", DateTime(timezone=True), nullable=False),
            Column("updated_at", DateTime(timezone=True), nullable=False),
            Column("finished_at", DateTime(timezone=True)),
            schema=self.schema,
        )

    def ensure(self, connection: Connection) -> None:
        """Make the table if it is not there. Raises what the driver raises, such as a missing right."""
        self.table.create(connection, checkfirst=True)

    def read(self, connection: Connection) -> "Row | None":
        """As it is now."""
        table = self.table
        row = connection.execute(
            select(
                table.c.fence, table.c.owner, table.c.digest, table.c.signature, table.c.choice,
                table.c.state, table.c.is_complete, _idle(connection, table).label("idle"),
            ).where(table.c.operation == self.operation)
        ).first()  # fmt: skip
        if row is None:
            return None
        return Row(int(row[0]), *row[1:6], bool(row[6]), float(row[7] or 0.0))

    def begin(self, connection: Connection, **values: Any) -> int:
        """Make the row with table_name, columns, digest, signature and choice; the fencing token.

        Raises an integrity error when it is there.
        """
        now = func.current_timestamp()
        owner = self._owner(connection)
        connection.execute(
            self.table.insert().values(
                operation=self.operation,
                fence=1,
                owner=owner,
                started_at=now,
                updated_at=now,
                **_said(State()),
                **values,
            )
        )
        return 1

    def take(self, connection: Connection, fence: int) -> "Row | None":
        """Become the one who works, if the token is still this one; the row as it is then, None if it is
        not.
        """
        table = self.table
        taken = connection.execute(
            table.update()
            .where(table.c.operation == self.operation, table.c.fence == fence)
            .values(fence=fence + 1, owner=self._owner(connection), updated_at=func.current_timestamp())
        )
        return self.read(connection) if taken.rowcount == 1 else None

    def retake(self, connection: Connection) -> "tuple[int, str]":
        """Go on in another session of the same run: the new fencing token and the state. Raises
        :class:`TakenOver`.

        The token must rise, for the server may not have noticed yet that the old session is gone.
        """
        row = self.read(connection)
        if row is not None:
            row = self.take(connection, row.fence) if row.owner.endswith(f" {self.token}") else None
        if row is None:
            raise TakenOver(_TAKEN.format(self.operation))
        return row.fence, row.state

    def restart(self, connection: Connection, fence: int, **values: Any) -> None:
        """Forget what was done under this name. Raises :class:`TakenOver`."""
        now = func.current_timestamp()
        self._write(connection, fence, started_at=now, finished_at=None, **_said(State()), **values)

    def save(
        self, connection: Connection, fence: int, state: State, measures: "tuple[str, ...]" = ()
    ) -> "tuple[Any, ...]":
        """Write the state down; the values of SQL expressions of the same statement. Raises
        :class:`TakenOver`.
        """
        return self._write(connection, fence, measures, **_said(state))

    def touch(self, connection: Connection, fence: int) -> None:
        """Tell that its runner lives. Raises :class:`TakenOver`."""
        self._write(connection, fence)

    def finish(self, connection: Connection, fence: int, state: State) -> None:
        """It is complete. Raises :class:`TakenOver`."""
        values = {**_said(state), "is_complete": True}
        self._write(connection, fence, finished_at=func.current_timestamp(), **values)

    def is_alive(self, connection: Connection, row: Row) -> bool:
        """Whether the session that holds the token is there; where that cannot be seen: whether it wrote
        of late.
        """
        if row.idle_seconds > STALE_SECONDS or connection.dialect.name not in _ALIVE:
            return False
        number, started, _ = row.owner.split()
        found = connection.execute(
            text(_ALIVE[connection.dialect.name]), {"number": number, "started": started}
        )
        return bool(found.scalar())

    def _owner(self, connection: Connection) -> str:
        statement = _SELF.get(connection.dialect.name)
        session = str(connection.execute(text(statement)).scalar()) if statement else "0 0"
        return f"{session} {self.token}"

    def _write(
        self, connection: Connection, fence: int, measures: "tuple[str, ...]" = (), **values: Any
    ) -> "tuple[Any, ...]":
        table = self.table
        statement = (
            table.update()
            .where(table.c.operation == self.operation, table.c.fence == fence)
            .values(updated_at=func.current_timestamp(), **values)
        )
        if measures:
            columns: list[Any] = [literal_column(one) for one in measures]
            row = connection.execute(statement.returning(*columns)).first()
            found = None if row is None else tuple(row)
        else:
            found = () if connection.execute(statement).rowcount == 1 else None
        if found is None:
            raise TakenOver(_TAKEN.format(self.operation))
        return found


def _said(state: State) -> "dict[str, Any]":
    return {"state": as_text(state), "rows_done": state.tally.rows, "is_complete": False}


def _idle(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "postgresql":
        return func.extract("epoch", func.current_timestamp() - table.c.updated_at)
    if connection.dialect.name in ("mysql", "mariadb"):
        return func.timestampdiff(literal_column("SECOND"), table.c.updated_at, func.current_timestamp())
    return literal_column("0")
