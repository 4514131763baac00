"""Who may work on a backfill, and from where: the first thing that a run does, and the only one that may
wait for another.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills import another_table
from headway.backfills.checkpoint import NAME, Checkpoint, Row
from headway.backfills.choice import Choice
from headway.backfills.failures import Cause, failure_of
from headway.backfills.kept_key import is_lost
from headway.backfills.known import Known
from headway.backfills.lanes import gathered
from headway.backfills.queries import name_in, one
from headway.backfills.servers import Server
from headway.backfills.session import Session
from headway.backfills.state import State
from headway.backfills.stored import state_of
from headway.statements import PLAIN, quoted, sqlstate

WAIT_SECONDS = 10.0
"""For another runner, which may have been killed a moment ago."""
LOOK_SECONDS = 0.2
NO_RIGHT = "42501"
"""insufficient_privilege"""


class SecondRunner(Exception):
    """Another session works on the same backfill at this moment."""


class NoCheckpoint(Exception):
    """The table in which a backfill keeps its place cannot be made."""


class Changed(Exception):
    """A backfill that each row gets exactly once was begun, and something else is asked for under its name now."""


@dataclass(frozen=True)
class Claim:
    """The right to work, with what earlier runs have left."""

    fence: int
    state: State
    choice: Choice
    is_finished: bool = False
    is_resumed: bool = False
    notice: str = ""
    built_upon: str = ""
    """Another backfill, which has read what this one has set: it must not be set again."""
    lanes: "dict[int, State]" = field(default_factory=dict)
    """Of other sessions that have worked on it, by number."""


@dataclass(frozen=True)
class Claiming:
    """One attempt; ``choose`` is asked only where nothing was begun that can be gone on with."""

    server: Server
    session: Session
    checkpoint: Checkpoint
    digest: str
    """Of what the revision asks for."""
    known: Known
    choose: Callable[[], Choice]

    def claim(self) -> Claim:
        """Raises :class:`SecondRunner`, :class:`Changed`, and what ``choose`` raises."""
        self._ensure()
        end = time.monotonic() + WAIT_SECONDS
        while True:
            row = self.session.do(self._read)
            if row is None:
                found = self._begun()
            elif self.session.do(lambda connection: self._is_alive(connection, row)):  # noqa: B023
                found = None
            else:
                found = self._taken(row)
            if found is not None:
                return found
            if time.monotonic() > end:
                raise SecondRunner(
                    f"Another session works on the backfill {self.checkpoint.operation} at this moment. Nothing "
                    "was changed here. Let it end, or end it, and run the revision again: it goes on where "
                    "that one stopped."
                )
            time.sleep(LOOK_SECONDS)

    def _ensure(self) -> None:
        for last in (False, True):
            try:
                self.session.do(self._make)
                return
            except DBAPIError as error:
                if sqlstate(error) == NO_RIGHT:
                    raise NoCheckpoint(
                        f"This database user may not make the table {NAME}, in which a backfill keeps its place. "
                        "Grant it CREATE on the schema of Alembic's version table, or copy the table from a database "
                        "that has it and grant SELECT, INSERT and UPDATE on it. Nothing was changed."
                    ) from error
                # Another runner may have made it between the look and the statement.
                if last:
                    raise

    def _make(self, connection: Connection) -> None:
        with self.server.transaction(connection):
            self.checkpoint.ensure(connection)

    def _read(self, connection: Connection) -> "Row | None":
        with self.server.transaction(connection):
            return self.checkpoint.read(connection)

    def _is_alive(self, connection: Connection, row: Row) -> bool:
        with self.server.transaction(connection):
            return not row.is_complete and self.checkpoint.is_alive(connection, row)

    def _begun(self) -> "Claim | None":
        choice = self.choose()

        def begin(connection: Connection) -> int:
            with self.server.transaction(connection):
                return self.checkpoint.begin(connection, **self._values(choice))

        try:
            return Claim(self.session.do(begin), State(), choice)
        except DBAPIError as error:
            if failure_of(error).cause is not Cause.DATA:
                raise
            return None

    def _values(self, choice: Choice) -> "dict[str, Any]":
        return {
            "digest": self.digest,
            "signature": self.known.signature,
            "choice": json.dumps(asdict(choice)),
            "table_name": self.known.table,
            "columns": ", ".join(one.name for one in self.known.targets),
        }

    def _taken(self, row: Row) -> "Claim | None":
        begun = Choice(**json.loads(row.choice))
        is_same = another_table.is_same(row.signature, self.known)
        goes_on = is_same and row.digest == self.digest and not self._has_lost_key(row, begun)
        choice = begun if goes_on else self.choose()

        def take(connection: Connection) -> "tuple[Row, dict[int, State], str] | None":
            with self.server.transaction(connection):
                first = self.checkpoint.take(connection, row.fence)
                if first is None:
                    return None
                others = self.checkpoint.take_others(connection)
                lanes = {lane: state_of(text) for lane, text in others.items()}
                rows = gathered(state_of(first.state), lanes.values()).tally.rows
                if not is_same and rows > 0:
                    self._refuse_another_table(connection, first, begun, lanes)
                if is_same and row.digest != self.digest and rows > 0:
                    # Here, so that the one who has the token keeps it.
                    self._refuse_harm(first.is_complete, begun, choice)
                return first, lanes, self._built_upon(connection) if first.is_complete else ""

        found = self.session.do(take)
        if found is None:
            return None
        taken, lanes, upon = found
        if goes_on:
            state, *others = (
                another_table.adopted(each, row.signature, self.known)
                for each in (state_of(taken.state), *lanes.values())
            )
            lanes = dict(zip(lanes, others, strict=True))
            return Claim(taken.fence, state, choice, taken.is_complete, True, built_upon=upon, lanes=lanes)
        asks = "what the revision asks for" if row.digest != self.digest else "the key that it went along"
        return self._restarted(taken.fence, asks if is_same else "a column", choice)

    def _built_upon(self, connection: Connection) -> str:
        """A later backfill of one of the columns that would not be applied again after this one."""
        columns = {one.name for one in self.known.targets}
        return next(
            (
                operation
                for operation, signature, names, choice in self.checkpoint.begun_since(connection)
                if not another_table.is_another(signature, self.known)
                and columns & set(names.split(", "))
                and Choice(**json.loads(choice)).is_harmful_again
            ),
            "",
        )

    def _has_lost_key(self, row: Row, choice: Choice) -> bool:
        """It has to begin again, for no place of its means anything now. Raises :class:`Changed` where that would do
        harm.
        """
        state = state_of(row.state)
        if choice.strategy != "keyset" or not is_lost(self.known, state.key):
            return False
        if row.is_complete:
            return not choice.is_once or choice.may_repeat
        if choice.is_once and (state.tally.rows > 0 or state.is_shared):
            names = ", ".join(name for _, name in state.key)
            raise Changed(
                f"The backfill {self.checkpoint.operation} is half done, each row exactly once, along the key "
                f"({names}), and that key is no longer there: another column took its place, a type or collation has "
                "changed, or no unique index without NULL has these columns. Along another key nobody can tell which "
                "rows are done. Nothing was changed here. Make the key as it was, which may be a unique index beside "
                "the new one, and run the revision again: it goes on where it stopped. Where that cannot be, give "
                "the rows that are left a backfill with a where= and a name= of its own."
            )
        return True

    def _refuse_another_table(
        self, connection: Connection, row: Row, begun: Choice, lanes: "dict[int, State]"
    ) -> None:
        """Raises :class:`Changed` where rows may have the update already, and would have it twice."""
        harms = begun.is_harmful_again if row.is_complete else begun.is_once
        if not harms or not another_table.is_another(row.signature, self.known):
            return
        table = name_in(connection.dialect, self.known.schema, self.known.table)
        if one(connection, f"SELECT EXISTS (SELECT FROM {table})") == (False,):
            return
        raise Changed(
            another_table.refusal(
                self.checkpoint.operation,
                row.signature,
                self.known,
                (state_of(row.state), *lanes.values()),
                row.is_complete,
                quoted(PLAIN, self.checkpoint.schema, NAME),
            )
        )

    def _refuse_harm(self, is_complete: bool, begun: Choice, wanted: Choice) -> None:
        """Rows were updated, and something else is asked for now."""
        name = self.checkpoint.operation
        if begun.is_once and not is_complete:
            raise Changed(
                f"The backfill {name} is half done, each row exactly once, and what the "
                "revision asks for has been changed since. Going on would treat the rest of the rows "
                "differently, and starting again would treat the first ones twice. Restore "
                "the revision as it was, or give the new one a name= of its own."
            )
        if is_complete and (begun.is_harmful_again or wanted.is_harmful_again):
            raise Changed(
                f"The backfill {name} is complete, and something else is asked for under its name now, which would "
                "be applied on top of it: the revision was changed since, or fills the same columns twice. Nothing "
                "was changed here. Restore the revision as it was. If this one shall be applied as well, give it a "
                "revision of its own, or a name=, and leave those before it as they are. If the updates were undone "
                f"since, delete the rows of this backfill from the table {NAME}."
            )

    def _restarted(self, fence: int, why: str, choice: Choice) -> Claim:
        def restart(connection: Connection) -> None:
            with self.server.transaction(connection):
                self.checkpoint.restart(connection, fence, **self._values(choice))

        self.session.do(restart)
        return Claim(
            fence,
            State(),
            choice,
            notice=f"{why} has changed since the backfill was begun, so it begins again",
        )
