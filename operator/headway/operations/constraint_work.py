"""The steps of a constraint, each a transaction of its own: add NOT VALID, validate, drop."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.blockers import Wanted as WantedLock
from headway.operations.constraint_state import Add, Done, Refuse, Step, Validate
from headway.operations.site import Site
from headway.operations.watching import watching
from headway.short_locks import LONG, stop_if_wished, with_short_locks
from headway.statements import PLAIN, execute, quoted, rows, sqlstate

VIOLATED = frozenset({"23502", "23503", "23514"})
"""not_null_violation, foreign_key_violation and check_violation."""
LOOK_MILLISECONDS = 10_000
SHOWN_ROWS = 1000


class ConstraintRefused(Exception):
    """The constraint is there with another definition, or the column is not there: a person must decide."""


class RowsInTheWay(Exception):
    """Rows do not obey the constraint; what the operation had added was taken back, so nothing was changed."""

    def __init__(self, sentence: str, sqlstate: str) -> None:
        super().__init__(sentence)
        self.sqlstate = sqlstate


@dataclass(frozen=True)
class Work:
    """What the steps of one constraint share."""

    site: Site
    name: str
    locks: "tuple[WantedLock, ...]"
    """That adding it takes."""
    offenders: str
    """``FROM … WHERE …`` of the rows that do not obey it."""
    obeyed: str
    """What rows should obey, in words, as the end of a sentence."""
    others: "tuple[Work, ...]" = ()
    """What the same call has added on other tables: taken back with this one."""
    elsewhere: str = ""
    """What the call has changed and does not take back, as a sentence."""

    def until_valid(self, next_step: Callable[[], Step], add: str) -> "tuple[Step, ...]":
        """The steps that it took; ``add`` is the statement. Raises :class:`ConstraintRefused` and
        :class:`RowsInTheWay`.
        """
        taken: list[Step] = []
        while True:
            stop_if_wished(self.site.beside.place.link)
            step = next_step()
            if isinstance(step, Done):
                return tuple(taken)
            if isinstance(step, Refuse):
                raise ConstraintRefused(step.reason)
            if isinstance(step, Add):
                self.shortly(add)
            elif isinstance(step, Validate):
                self.validate(was_added=Add() in taken)
            else:
                raise AssertionError(step)
            taken.append(step)

    def shortly(self, *statements: str) -> None:
        """In one transaction with short waits for its locks."""
        self.site.shortly(*statements, locks=self.locks)

    def validate(self, was_added: bool) -> None:
        """``VALIDATE CONSTRAINT``, as long as it takes; raises :class:`RowsInTheWay`.

        Nobody who reads or writes queues up behind its ``SHARE UPDATE EXCLUSIVE``, so its waits are long ones.
        """
        beside, session, table = self.site.beside, self.site.session, self.site.table
        lock = (WantedLock(table.quoted, "SHARE UPDATE EXCLUSIVE"),)
        statement = f"ALTER TABLE {table.quoted} VALIDATE CONSTRAINT {quoted(PLAIN, self.name)}"

        def work(connection: Connection) -> None:
            execute(connection, "SET LOCAL statement_timeout = 0")
            execute(connection, statement)

        try:
            with watching(beside, session, lambda connection, pid: None):
                with_short_locks(session, work, lock, beside.place.link, LONG)
        except DBAPIError as error:
            if sqlstate(error) not in VIOLATED:
                raise
            if was_added:
                self.take_back()
            for one in self.others:
                one.take_back()
            raise RowsInTheWay(self._sentence(was_added), sqlstate(error)) from None

    def take_back(self) -> None:
        """Drop it: in contrast to adding it that takes ``ACCESS EXCLUSIVE`` always."""
        self.site.shortly(self.drop_statement(), locks=tuple(WantedLock(one.table) for one in self.locks))

    def drop_statement(self) -> str:
        """``DROP CONSTRAINT`` of it."""
        return f"ALTER TABLE {self.site.table.quoted} DROP CONSTRAINT IF EXISTS {quoted(PLAIN, self.name)}"

    def _sentence(self, was_added: bool) -> str:
        nothing_else = "" if self.elsewhere else ", so nothing was changed"
        left = (
            f"The constraint was taken back{nothing_else}."
            if was_added
            else f"The constraint {self.name} stays NOT VALID, as it was: new rows obey it."
        )
        left = f"{left} {self.elsewhere}".strip()
        number = self.site.session.do(self._count)
        return (
            f"{number} of {self.site.table.quoted} {'does' if number == 'A row' else 'do'} not obey {self.obeyed}. "
            f"{left} Look at them (SELECT * {self.offenders} LIMIT 10), correct or backfill them, and run the "
            "revision again."
        )

    def _count(self, connection: Connection) -> str:
        """In words, from a look that is bounded in rows and in time."""
        statement = f"SELECT count(*) FROM (SELECT 1 {self.offenders} LIMIT {SHOWN_ROWS + 1}) s"
        try:
            with connection.begin():
                execute(connection, f"SET LOCAL statement_timeout = {LOOK_MILLISECONDS}")
                ((number,),) = rows(connection, statement)
        except DBAPIError:
            # That there are some is known; how many only helps.
            return "Rows"
        if number > SHOWN_ROWS:
            return f"More than {SHOWN_ROWS} rows"
        return "A row" if number == 1 else f"{number} rows"
