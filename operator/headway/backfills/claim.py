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

from headway.backfills.checkpoint import NAME, Checkpoint, Row
from headway.backfills.choice import Choice
from headway.backfills.failures import Cause, failure_of
from headway.backfills.known import Known
from headway.backfills.servers import Server
from headway.backfills.session import Session
from headway.backfills.state import State
from headway.backfills.stored import state_of
from headway.statements import sqlstate

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
    """A half-done backfill that applies each row exactly once was changed in the revision file."""


@dataclass(frozen=True)
class Claim:
    """The right to work, with what earlier runs have left."""

    fence: int
    state: State
    choice: Choice
    is_finished: bool = False
    is_resumed: bool = False
    notice: str = ""
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
        choice = Choice(**json.loads(row.choice))
        is_same = row.signature == self.known.signature
        is_half_done = not row.is_complete and state_of(row.state).tally.rows > 0
        if is_same and row.digest != self.digest and choice.is_once and is_half_done:
            raise Changed(
                f"The backfill {self.checkpoint.operation} is half done, each row exactly once, and what the "
                "revision asks for has been changed since. Going on would treat the rest of the rows "
                "differently, and starting again would treat the first ones twice. Restore "
                "the revision as it was, or give the new one a name= of its own."
            )

        def take(connection: Connection) -> "tuple[Row, dict[int, str]] | None":
            with self.server.transaction(connection):
                first = self.checkpoint.take(connection, row.fence)
                return None if first is None else (first, self.checkpoint.take_others(connection))

        found = self.session.do(take)
        if found is None:
            return None
        taken, others = found
        if is_same and row.digest == self.digest:
            lanes = {lane: state_of(text) for lane, text in others.items()}
            return Claim(taken.fence, state_of(taken.state), choice, taken.is_complete, True, lanes=lanes)
        return self._restarted(taken.fence, is_same)

    def _restarted(self, fence: int, is_same: bool) -> Claim:
        choice = self.choose()

        def restart(connection: Connection) -> None:
            with self.server.transaction(connection):
                self.checkpoint.restart(connection, fence, **self._values(choice))

        self.session.do(restart)
        why = "what the revision asks for" if is_same else "a column"
        return Claim(
            fence,
            State(),
            choice,
            notice=f"{why} has changed since the backfill was begun, so it begins again",
        )
