"""One backfill from the claim on: gather what is known, choose the way, and hand over to who does it."""

import uuid

from sqlalchemy.engine import Connection

from headway.backfills import portable_catalog, postgres_catalog
from headway.backfills.call import Call
from headway.backfills.checkpoint import Checkpoint
from headway.backfills.choice import Choice, Refused, choose
from headway.backfills.claim import Claiming
from headway.backfills.claimed import Claimed
from headway.backfills.kept_key import along
from headway.backfills.known import Known, NotPossible
from headway.backfills.names import digest_of
from headway.backfills.servers import Mysql, Postgres, Server, Sqlite
from headway.backfills.session import Session, SessionBeside, SessionItself
from headway.facts import BackfillFinished
from headway.throttle.look import ask_first


def run(call: Call) -> BackfillFinished:
    """Raises what :func:`headway.backfill` says."""
    server = _server(call)
    session = _session(call, server)
    try:
        if isinstance(server, Postgres):
            server = session.do(server.asked)
        known = session.do(lambda connection: _read(connection, call, server))
        _ask_signals(call)
        checkpoint = Checkpoint(
            call.operation, uuid.uuid4().hex[:12], call.place.context.version_table_schema
        )
        claiming = Claiming(
            server, session, checkpoint, _digest(call), known, lambda: _chosen(session, call, known)
        )
        claim = claiming.claim()
        known = along(known, claim.state.key)
        return Claimed(call, server, session, known, checkpoint, claim).run()
    finally:
        session.close()


def _server(call: Call) -> Server:
    dialect = call.place.dialect.name
    if dialect == "postgresql":
        return Postgres(call.beside.settings)
    if dialect in ("mysql", "mariadb"):
        return Mysql()
    if dialect == "sqlite":
        return Sqlite()
    raise NotPossible(
        f"Backfills know PostgreSQL, MySQL, MariaDB and SQLite, and this is {dialect}. Update the rows in "
        "statements of your own."
    )


def _session(call: Call, server: Server) -> Session:
    connection = call.place.context.connection
    assert connection is not None
    if isinstance(server, Sqlite):
        return SessionItself(connection)
    return SessionBeside(call.beside, server, call.own)


def _ask_signals(call: Call) -> None:
    """Beside, because a question has settings of its own."""
    if not call.signals:
        return
    search_path = dict(call.beside.settings).get("search_path", "")
    with call.beside.session() as side:
        side.do(lambda connection: ask_first(connection, call.signals, search_path))


def _read(connection: Connection, call: Call, server: Server) -> Known:
    read = postgres_catalog.read if isinstance(server, Postgres) else portable_catalog.read
    with server.transaction(connection):
        return read(connection, call.asked)


def _digest(call: Call) -> str:
    asked = call.asked
    return digest_of(
        asked.assignments, asked.where, asked.strategy, asked.key, asked.exactly_once, asked.synced
    )


def _chosen(session: Session, call: Call, known: Known) -> Choice:
    if known.dialect == "postgresql":
        known = session.do(
            lambda connection: postgres_catalog.with_expressions(connection, call.asked, known)
        )
    decision = choose(call.asked, known)
    if isinstance(decision, Refused):
        raise NotPossible(decision.sentence)
    return decision
