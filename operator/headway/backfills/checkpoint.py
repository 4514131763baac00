"""The table in which a backfill writes down, in each batch's own transaction, where it is.

Rule: who works holds the newest fencing token. It is in the condition of every write, so a runner that
somebody else has taken over from cannot commit a batch any more, however late it wakes up.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.sql import ColumnElement

from headway.backfills.lanes import is_open
from headway.backfills.state import State
from headway.backfills.stored import as_text

NAME = "headway_backfill"
STALE_SECONDS = 60
"""A runner that lives writes at least every ten seconds; behind a pooler its session tells nothing."""
_ALIVE = {
    "postgresql": "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE CAST(pid AS text) = :number AND "
    "(CAST(:started AS text) = '0' OR backend_start IS NULL "
    "OR CAST(extract(epoch FROM backend_start) AS text) = :started)",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE id = :number AND :started = '0'",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE id = :number AND :started = '0'",
}
# A role that was set with SET ROLE sees of its own session no more than the number: 0 stands for the start then, and
# whoever has the number is taken for the owner as long as the row was written of late.
_SELF = {
    "postgresql": "SELECT pg_backend_pid() || ' ' || coalesce((SELECT CAST(extract(epoch FROM backend_start) AS "
    "text) FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()), '0')",
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
    """The row of one lane of a backfill; every method must be called inside a transaction.

    The first lane's row is that of the whole backfill. Others are there where several sessions have worked, and
    are complete while nothing of their share is left.
    """

    operation: str
    token: str
    """Of this run: another session of the same run is no other runner."""
    schema: "str | None" = None
    lane: int = 0

    def of(self, lane: int) -> "Checkpoint":
        """The same backfill's row of another lane."""
        return replace(self, lane=lane)

    @cached_property
    def table(self) -> Table:
        """In the schema of Alembic's version table."""
        return Table(
            NAME,
            MetaData(),
            Column("operation", String(255), primary_key=True),
            Column("lane", Integer, primary_key=True, autoincrement=False),
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
            ).where(self._this)
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
                lane=self.lane,
                fence=1,
                owner=owner,
                started_at=now,
                updated_at=now,
                **_said(State()),
                **values,
            )
        )
        self.close_others(connection)
        return 1

    def take(self, connection: Connection, fence: int) -> "Row | None":
        """Become the one who works on this lane, if the token is still this one; the row as it is then, None
        if it is not.
        """
        table = self.table
        taken = connection.execute(
            table.update()
            .where(self._this, table.c.fence == fence)
            .values(fence=fence + 1, owner=self._owner(connection), updated_at=func.current_timestamp())
        )
        return self.read(connection) if taken.rowcount == 1 else None

    def take_others(self, connection: Connection) -> "dict[int, str]":
        """After the first lane was taken: the states of all others, from whose sessions nothing comes any more."""
        table = self.table
        connection.execute(
            table.update().where(self._others).values(fence=table.c.fence + 1, owner=self._owner(connection))
        )
        found = connection.execute(select(table.c.lane, table.c.state).where(self._others))
        return {int(lane): str(state) for lane, state in found}

    def begun_since(self, connection: Connection) -> "list[tuple[str, str, str, str]]":
        """Of a complete one: operation, signature, columns and choice of those of its table that were begun after."""
        this, other = self.table, self.table.alias()
        found = select(other.c.operation, other.c.signature, other.c.columns, other.c.choice).where(
            self._this, other.c.operation != this.c.operation, other.c.lane == 0,
            other.c.table_name == this.c.table_name, other.c.started_at >= this.c.finished_at,
        ).order_by(other.c.started_at)  # fmt: skip
        return [(str(a), str(b), str(c), str(d)) for a, b, c, d in connection.execute(found)]

    def open(self, connection: Connection, lane: int, state: State) -> bool:
        """Give a lane a share; False: it has one already. Raises :class:`TakenOver`.

        The first lane's row is held from here to the end of the transaction, so that who takes over sees this lane.
        """
        table = self.table
        is_ours = table.c.owner.like(f"% {self.token}")
        first = select(table.c.fence).where(table.c.operation == self.operation, table.c.lane == 0, is_ours)
        if connection.execute(first.with_for_update(read=True)).first() is None:
            raise TakenOver(_TAKEN.format(self.operation))
        values = {**_said(state), "updated_at": func.current_timestamp(), "owner": self._owner(connection)}
        there = table.c.operation == self.operation, table.c.lane == lane
        idle = connection.execute(
            table.update()
            .where(*there, table.c.is_complete.is_(True))
            .values(fence=table.c.fence + 1, **values)
        )
        if idle.rowcount == 1:
            return True
        if connection.execute(select(table.c.lane).where(*there)).first() is not None:
            return False
        connection.execute(self._copied(lane, values))
        return True

    def _copied(self, lane: int, values: "dict[str, Any]") -> Any:
        """What stays the same is the first lane's."""
        table = self.table
        changed = {**values, "lane": lane, "fence": 1, "started_at": func.current_timestamp()}
        columns = [one for one in table.c if one.name != "finished_at"]
        picked = [
            one if one.name not in changed
            else changed[one.name] if isinstance(changed[one.name], ColumnElement)
            else literal(changed[one.name], one.type)
            for one in columns
        ]  # fmt: skip
        source = select(*picked).where(table.c.operation == self.operation, table.c.lane == 0)
        return table.insert().from_select([one.name for one in columns], source)

    def close_others(self, connection: Connection) -> None:
        """Nothing is left of any other lane's share, or it is given up."""
        values = {**_said(State()), "is_complete": True}
        connection.execute(self.table.update().where(self._others).values(**values))

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
        self.close_others(connection)

    def save(
        self, connection: Connection, fence: int, state: State, measures: "tuple[str, ...]" = ()
    ) -> "tuple[Any, ...]":
        """Write the state down; the values of SQL expressions of the same statement. Raises
        :class:`TakenOver`.
        """
        # What another lane has left says whether it has something to do; the whole is complete with the first one.
        is_idle = self.lane > 0 and not is_open(state)
        said = {**_said(state), "is_complete": is_idle}
        held = {"operation": self.operation, "lane": self.lane, "fence": fence}
        values = {f"the_{name}": value for name, value in (*said.items(), *held.items())}
        return self._written(connection.execute(_saving(self.table, measures), values), bool(measures))

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
        session = row.owner.split()
        if len(session) != len(("number", "started", "token")):
            return True
        number, started, _ = session
        found = connection.execute(
            text(_ALIVE[connection.dialect.name]), {"number": number, "started": started}
        )
        return bool(found.scalar())

    @property
    def _this(self) -> "ColumnElement[bool]":
        return and_(self.table.c.operation == self.operation, self.table.c.lane == self.lane)

    @property
    def _others(self) -> "ColumnElement[bool]":
        return and_(self.table.c.operation == self.operation, self.table.c.lane != self.lane)

    def _owner(self, connection: Connection) -> str:
        statement = _SELF.get(connection.dialect.name)
        session = str(connection.execute(text(statement)).scalar()) if statement else "0 0"
        return f"{session} {self.token}"

    def _write(self, connection: Connection, fence: int, **values: Any) -> None:
        table = self.table
        statement = table.update().where(self._this, table.c.fence == fence)
        now = func.current_timestamp()
        self._written(connection.execute(statement.values(updated_at=now, **values)), False)

    def _written(self, result: "CursorResult[Any]", has_values: bool) -> "tuple[Any, ...]":
        row = result.first() if has_values else None
        if row is None and (has_values or result.rowcount != 1):
            raise TakenOver(_TAKEN.format(self.operation))
        return () if row is None else tuple(row)


@lru_cache(maxsize=16)
def _saving(table: Table, measures: "tuple[str, ...]") -> Any:
    """Kept, with what SQLAlchemy finds out about it: each batch runs it again."""
    held = (table.c[name] == bindparam(f"the_{name}") for name in ("operation", "lane", "fence"))
    said: dict[str, Any] = {name: bindparam(f"the_{name}") for name in ("state", "rows_done", "is_complete")}
    statement = table.update().where(*held).values(updated_at=func.current_timestamp(), **said)
    columns: list[Any] = [literal_column(one) for one in measures]
    return statement.returning(*columns) if measures else statement


def _said(state: State) -> "dict[str, Any]":
    return {"state": as_text(state), "rows_done": state.tally.rows, "is_complete": False}


def _idle(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "postgresql":
        return func.extract("epoch", func.current_timestamp() - table.c.updated_at)
    if connection.dialect.name in ("mysql", "mariadb"):
        return func.timestampdiff(literal_column("SECOND"), table.c.updated_at, func.current_timestamp())
    return literal_column("0")
