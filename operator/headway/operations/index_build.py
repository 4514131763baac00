"""One index on one table, built concurrently: look, decide, do, and look again until it is valid."""

from dataclasses import dataclass

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.blockers import Wanted as WantedLock
from headway.facts import Noticed, tell
from headway.operations.index_catalog import Progress, definition_wanted, indexes_of
from headway.operations.index_sql import Wanted
from headway.operations.index_state import Build, Done, Drop, Index, Refuse, WaitFor, next_step
from headway.operations.tables import Table
from headway.operations.watching import Look, watching
from headway.place import Beside
from headway.sessions import OwnSession
from headway.short_locks import (
    LONG,
    UNCHANGED,
    LockUnavailable,
    Patience,
    rest,
    stop_if_wished,
    with_short_locks,
)
from headway.statements import execute, rows, sqlstate

POLL_SECONDS = 1.0
CLEANING = Patience(2000.0, 1.0, 2000.0, 0.5, 0.5, give_up_after_seconds=6.0)
"""For dropping what a build left that failed: the next run does it if it cannot be done now."""
DEADLOCK = "40P01"
STATE = "SELECT indisvalid, indislive FROM pg_catalog.pg_index WHERE indexrelid = {oid}"
DEADLOCKS = 3
"""How often a build that lost a deadlock is begun again."""


class IndexNotBuilt(Exception):
    """The index could not be built; what the attempt left was dropped, and running the revision again begins anew."""

    def __init__(self, sentence: str, sqlstate: str = "") -> None:
        super().__init__(sentence)
        self.sqlstate = sqlstate


@dataclass(frozen=True)
class Building:
    """What the steps of one index share."""

    beside: Beside
    looks: OwnSession
    wanted: Wanted
    table: Table
    name: str

    def until_valid(self) -> Index:
        """The finished index; raises :class:`IndexNotBuilt` and whatever the server refuses it with."""
        told_of, deadlocks = 0, 0
        while True:
            step = self._next_step()
            if isinstance(step, Done):
                return step.index
            if isinstance(step, Refuse):
                raise IndexNotBuilt(step.reason)
            if isinstance(step, WaitFor):
                told_of = self._wait(step, told_of)
            elif isinstance(step, Drop):
                drop(self.beside, step.index, LONG)
                self._notice(
                    f"The INVALID index {step.index.quoted}, left by an interrupted build, was dropped."
                )
            else:
                deadlocks = self._build(step, deadlocks)

    def _next_step(self) -> "Build | Drop | WaitFor | Done | Refuse":
        stop_if_wished(self.beside.place.link)
        indexes = self.looks.do(lambda one: indexes_of(one, self.table, self.name))
        is_there = any(one.name == self.name and one.is_valid for one in indexes)
        return next_step(self.name, self.table.oid, indexes, self.definition() if is_there else None)

    def definition(self) -> "str | None":
        """The definition that the index should have, as the server writes it."""
        return self.looks.do(lambda one: definition_wanted(one, self.wanted, self.table))

    def _wait(self, step: WaitFor, told_of: int) -> int:
        builder = step.index.builder or 0
        if builder != told_of:
            self._notice(f"Session {builder} is building the index {step.index.quoted}: waiting for its end.")
        rest(self.beside.place.link, POLL_SECONDS)
        return builder

    def _build(self, step: Build, deadlocks: int) -> int:
        """How many deadlocks there were until now."""
        statement = self.wanted.statement(self.name, self.table.name, self.table.schema, concurrently=True)
        progress = Progress(self.name, self.table.quoted)
        with (
            self.beside.session(autocommit=True) as session,
            watching(self.beside, session, self._look(progress)),
        ):
            try:
                session.do(lambda one: _without_time_outs(one, statement))
            except KeyboardInterrupt:
                self._tell_left("it was interrupted")
                raise
            except DBAPIError as error:
                self._tidy_up()
                state = sqlstate(error)
                if state == DEADLOCK and deadlocks < DEADLOCKS:
                    return deadlocks + 1
                if state == "23505":
                    raise IndexNotBuilt(self._duplicates(), state) from None
                raise
        return deadlocks

    def _look(self, progress: Progress) -> Look:
        def look(connection: Connection, pid: int) -> None:
            fact = progress.look(connection, pid)
            if fact is not None:
                tell(self.beside.place.link, fact)

        return look

    def _tidy_up(self) -> None:
        """Drop our INVALID index; what cannot be done now the next run does."""
        try:
            indexes = self.looks.do(lambda one: indexes_of(one, self.table, self.name))
            ours = [one for one in indexes if one.name == self.name and one.table_oid == self.table.oid]
            for one in ours:
                if not one.is_valid and one.builder is None:
                    drop(self.beside, one, CLEANING)
        except (DBAPIError, LockUnavailable) as error:
            why = sqlstate(error) or type(error).__name__
            self._tell_left(f"it could not be dropped now ({why})")
        except BaseException:
            self._tell_left("a stop came while it was being dropped")
            raise

    def _tell_left(self, why: str) -> None:
        self._notice(
            f"The index {self.name} of {self.table.quoted} is left INVALID, because {why}. The next run drops it and "
            "builds it again."
        )

    def _duplicates(self) -> str:
        return (
            f"The unique index {self.name} cannot be built: rows of {self.table.quoted} share a value that is to be "
            "unique. Find them (GROUP BY its columns HAVING count(*) > 1), make them unique, and run the revision "
            "again. What the attempt left was dropped."
        )

    def _notice(self, message: str) -> None:
        tell(self.beside.place.link, Noticed(message))


def _without_time_outs(connection: Connection, statement: str) -> None:
    """A short time-out would leave an INVALID index; while the build waits for transactions it holds nobody up."""
    with connection.begin():
        execute(connection, "SET lock_timeout = 0")
        execute(connection, "SET statement_timeout = 0")
        execute(connection, statement)


def drop(beside: Beside, index: Index, patience: Patience) -> None:
    """``DROP INDEX CONCURRENTLY``, tried until it had its locks; raises :class:`LockUnavailable`.

    It commits first that queries no longer use the index, and then waits for all who use the table.
    """
    statement = f"DROP INDEX CONCURRENTLY IF EXISTS {index.quoted}"
    wanted = (WantedLock(index.table, "SHARE UPDATE EXCLUSIVE", waits_for_users=True),)
    with beside.session(autocommit=True) as session:
        session.do(lambda one: _commit(one, "SET statement_timeout = 0"))
        with_short_locks(
            session,
            lambda one: execute(one, statement),
            wanted,
            beside.place.link,
            patience,
            is_transaction=False,
            left=lambda one: _left_of(one, index),
        )


def _left_of(connection: Connection, index: Index) -> str:
    """What a drop that was given up has left."""
    with connection.begin():
        found = rows(connection, STATE.format(oid=index.oid))
    if not found or found[0][0]:
        return UNCHANGED
    writes = "and writes still keep it up" if found[0][1] else "and writes do not keep it up any more"
    return (
        f"The index {index.quoted} is INVALID now: no query uses it {writes}; no row is lost, and only the drop is "
        "left to do."
    )


def _commit(connection: Connection, statement: str) -> None:
    with connection.begin():
        execute(connection, statement)
