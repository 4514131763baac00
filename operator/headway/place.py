"""Where an operation works: the context of the revision that runs, and sessions beside Alembic's transaction."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

import alembic.op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection, Dialect

from headway.interrupts import heard_by
from headway.link import Link, NoLink, link_of
from headway.sessions import OwnSession
from headway.statements import execute, literal, quoted, rows

_KEPT = ("search_path", "role")
"""What env.py may have set on the migration connection and names depend on."""
OPERATIONS: "ContextVar[Operations | None]" = ContextVar("headway.operations", default=None)
"""Set while an operation was called as a method of an ``Operations`` of somebody's own."""


class CannotCommit(Exception):
    """The operation must commit by itself, and a transaction that env.py began forbids it."""


@dataclass(frozen=True)
class Place:
    """The revision's context and how to reach its database."""

    context: MigrationContext
    operations: Operations
    link: Link

    @property
    def dialect(self) -> Dialect:
        """Of the database that the revision is for."""
        return self.context.dialect

    @property
    def is_offline(self) -> bool:
        """A script is written (``--sql``) instead."""
        return bool(self.context.as_sql)

    @property
    def is_postgres(self) -> bool:
        """Only there an operation is more than Alembic's own."""
        return self.dialect.name == "postgresql"

    def schema(self, schema: "str | None") -> "str | None":
        """The schema that the connection's ``schema_translate_map`` puts for this one."""
        if self.is_offline or self.context.connection is None:
            return schema
        known = self.context.connection.get_execution_options().get("schema_translate_map") or {}
        found: str | None = known.get(schema, schema)
        return found

    def name(self, *names: "str | None") -> str:
        """Quoted, joined by dots."""
        return quoted(self.dialect, *names)

    def write(self, *lines: str) -> None:
        """Statements and comments of the script; a statement is ended by a semicolon."""
        for line in lines:
            comment = line.startswith("--")
            self.context.impl.static_output(line if comment else line.rstrip().rstrip(";") + ";\n")

    @contextmanager
    def beside(self) -> "Iterator[Beside]":
        """Leave Alembic's transaction, which commits what was done before, and work in sessions of one's own.

        Raises :class:`CannotCommit`. Under ``--sql`` there are no sessions: use :meth:`outside`.
        """
        connection = self.context.connection
        assert connection is not None
        self._refuse_foreign_transaction()
        settings = _settings(connection)
        with heard_by(self.link if isinstance(self.link, NoLink) else None), self.outside():
            yield Beside(self, settings)

    def outside(self) -> "AbstractContextManager[None]":
        """Alembic's ``autocommit_block``, unless the revision is in one already."""
        connection = None if self.is_offline else self.context.connection
        if (
            connection is not None
            and connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        ):
            return nullcontext()
        return self.context.autocommit_block()

    def _refuse_foreign_transaction(self) -> None:
        # No public name tells it, and autocommit_block() only fails an assertion then.
        if getattr(self.context, "_in_external_transaction", False):
            raise CannotCommit(
                "This operation commits by itself, and that is impossible inside the transaction that env.py began "
                "before context.configure(). In env.py, hand configure() a connection that is in no transaction "
                "(engine.connect() instead of engine.begin(), and a commit after any statement before configure()); "
                "then run the revision again. Nothing was changed."
            )


@dataclass(frozen=True)
class Beside:
    """Sessions on the same database, with the search path and the role of the migration connection."""

    place: Place
    settings: "tuple[tuple[str, str], ...]"

    @contextmanager
    def session(self, autocommit: bool = False) -> Iterator[OwnSession]:
        """One of them; closed at the end."""
        connection = self.place.context.connection
        assert connection is not None
        session = OwnSession(connection.engine, autocommit)
        try:
            session.do(self._set)
            yield session
        finally:
            session.close()

    def _set(self, connection: Connection) -> None:
        with connection.begin():
            for name, value in self.settings:
                execute(connection, f"SELECT set_config('{name}', {literal(value)}, false)")


def _settings(connection: Connection) -> "tuple[tuple[str, str], ...]":
    if connection.dialect.name != "postgresql":
        return ()
    was_in_transaction = connection.in_transaction()
    # Not by SELECT: whoever watches the statements of a revision knows that SHOW changes nothing.
    values = [str(rows(connection, f"SHOW {name}")[0][0]) for name in _KEPT]
    if connection.in_transaction() and not was_in_transaction:
        # SQLAlchemy 2 has begun one, and Alembic would take it for somebody else's.
        connection.commit()
    return tuple(zip(_KEPT, values, strict=True))


def here() -> Place:
    """The place of the revision that is running; raises :class:`NameError` outside of one, as Alembic does."""
    bound = OPERATIONS.get()
    context = alembic.op.get_context() if bound is None else bound.get_context()
    return Place(context, bound or Operations(context), link_of(context))
