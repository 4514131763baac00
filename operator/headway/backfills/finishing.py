"""The end of a backfill that is complete: statistics, the record, and what it could not do."""

from dataclasses import dataclass

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills import record
from headway.backfills.call import Call
from headway.backfills.checkpoint import Checkpoint
from headway.backfills.known import Known
from headway.backfills.queries import name_in, run
from headway.backfills.servers import Postgres, Server
from headway.backfills.session import Session
from headway.backfills.state import State
from headway.facts import BackfillFinished, Noticed, tell

ANALYZE_LOCK_MS = 2000


def sizes(connection: Connection, server: Server, known: Known) -> "tuple[int, int]":
    """Bytes of heap and indexes, in a transaction of its own; -1 where the server does not tell."""
    with server.transaction(connection):
        return record.sizes(connection, known)


@dataclass(frozen=True)
class Finishing:
    """Of one backfill."""

    call: Call
    server: Server
    session: Session
    known: Known
    checkpoint: Checkpoint

    def finish(self, fence: int, state: State) -> BackfillFinished:
        """New statistics, the checkpoint's last word, and the record. Raises TakenOver."""
        if self.call.asked.analyze and isinstance(self.server, Postgres):
            self._analyze()
        grown = self.session.do(lambda connection: sizes(connection, self.server, self.known))

        def write(connection: Connection) -> None:
            with self.server.transaction(connection):
                self.checkpoint.finish(connection, fence, state)

        self.session.do(write)
        fact = record.finished(self.call.operation, self.known.table, state, grown)
        self._tell_remainder(state)
        tell(self.call.link, fact)
        return fact

    def _tell_remainder(self, state: State) -> None:
        if not state.remaining:
            return
        why = "writers go on to leave such rows: deploy code, or have a trigger, that fills them"
        if not state.arriving:
            why = "for these the expression gives a value that the condition still chooses, such as NULL"
        tell(
            self.call.link,
            Noticed(
                f"{state.remaining} rows of {self.known.table} still meet the condition of the backfill: {why}."
            ),
        )

    def _analyze(self) -> None:
        """Of the columns that are new; for the rest autovacuum comes as it would have without this."""
        dialect = self.call.place.dialect
        name = name_in(dialect, self.known.schema, self.known.table)
        names = (*(one.name for one in self.known.targets), *self.known.generated)
        columns = ", ".join(name_in(dialect, one) for one in names)

        def analyze(connection: Connection) -> None:
            with self.server.transaction(connection):
                run(connection, f"SET LOCAL lock_timeout = {ANALYZE_LOCK_MS}")
                run(connection, f"ANALYZE {name} ({columns})")

        try:
            self.session.do(analyze)
        except DBAPIError:
            message = (
                f"ANALYZE of {self.known.table} could not be run after its backfill; autovacuum will do it."
            )
            tell(self.call.link, Noticed(message))
