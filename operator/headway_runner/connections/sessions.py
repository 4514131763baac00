"""The settings of every session that the user's code opens, and the check that it is one's own.

Rule: nothing is set on a session that a pooler may lend to others meanwhile: it would stay with them.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import Pool

from headway_contract.request import RunRequest
from headway_contract.result import Failure
from headway_runner.connections.credentials import learn_connection, learn_what_connects
from headway_runner.connections.dbapi import SESSION, adapter_of, backend_pid, limit_only_connecting, query
from headway_runner.connections.keepalive import watch_socket
from headway_runner.connections.pooler import lends_by_the_session
from headway_runner.connections.session_settings import (
    application_name,
    guards_against_a_lost_client,
    put,
    session_values,
)
from headway_runner.words.run_failed import RunFailed

CONNECT_SECONDS = 10
PYTHON_BUSY_MILLISECONDS = 5000
"""How long ``sqlite3.connect`` lets a statement wait by default."""
_DIALECT = "headway.dialect"
PREPARED = "headway.prepared"
"""In a connection's ``info``: whether its session is the server's own and set up."""
_KNOWN = "SELECT current_setting('server_version_num'), current_setting('application_name')"


class Sessions:
    """Prepares sessions as they are opened, and again when a context of Alembic takes one that was missed."""

    def __init__(self, request: RunRequest, read_only: bool, database: str = "") -> None:
        self._request = request
        self._name = application_name(request.run, database)
        self._read_only = read_only

    def install(self) -> None:
        """Listen to all engines of this process."""
        learn_what_connects()
        event.listen(Engine, "do_connect", _note_the_dialect)
        event.listen(Pool, "connect", self._opened)

    def _opened(self, adapter: Any, record: Any) -> None:
        learn_connection(adapter)
        watch_socket(adapter)
        if record.info.get(_DIALECT) == "postgresql":
            limit_only_connecting(adapter)
            record.info[PREPARED] = self._prepare(adapter, in_transaction=False)
            adapter.commit()
        elif record.info.get(_DIALECT) in _LOCK_WAITS:
            _LOCK_WAITS[record.info[_DIALECT]](adapter, self._request.lock_timeout_seconds)

    def take(self, connection: Connection) -> None:
        """Make sure that a migration connection is prepared; raises :class:`RunFailed` ``PoolerDetected``."""
        if connection.dialect.name != "postgresql":
            return
        info = connection.info
        if PREPARED not in info:
            adapter = adapter_of(connection)
            in_transaction = connection.in_transaction()
            info[PREPARED] = self._prepare(adapter, in_transaction)
            if not in_transaction:
                adapter.commit()
        if not info[PREPARED]:
            if lends_by_the_session(connection.engine):
                adapter = adapter_of(connection)
                info[SESSION] = int(query(adapter, "SELECT pg_backend_pid()")[0][0])
                self._set_up(adapter, connection.in_transaction())
                info[PREPARED] = True
                return
            raise RunFailed(
                Failure(
                    "PoolerDetected",
                    "The server process that answers is not the one that accepted the connection.",
                )
            )

    def _prepare(self, adapter: Any, in_transaction: bool) -> bool:
        """Whether the session is the server's own; only then it is set up."""
        ((pid,),) = query(adapter, "SELECT pg_backend_pid()")
        if backend_pid(adapter) not in (None, int(pid)):
            return False
        self._set_up(adapter, in_transaction)
        return True

    def _set_up(self, adapter: Any, in_transaction: bool) -> None:
        """What stays set until the session ends."""
        ((version, name),) = query(adapter, _KNOWN)
        needed = session_values(self._request, self._read_only)
        if not name:
            # So that whoever is blocked by us sees by whom; a name that the application has given is left to it.
            needed = (*needed, ("application_name", self._name))
        try:
            put(adapter, needed + guards_against_a_lost_client(int(version)))
        except Exception:
            if in_transaction:
                raise
            # A server on an operating system that cannot look whether a client is still there refuses the setting.
            adapter.rollback()
            put(adapter, needed)
        if not in_transaction:
            adapter.commit()


def _limit_mysql(adapter: Any, seconds: int) -> None:
    """For table metadata and for rows; the servers' defaults are up to a year."""
    query(adapter, f"SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}")


def _limit_sqlite(adapter: Any, seconds: int) -> None:
    """Where the application has not chosen its own: Python's is five seconds."""
    if query(adapter, "PRAGMA busy_timeout")[0][0] == PYTHON_BUSY_MILLISECONDS:
        query(adapter, f"PRAGMA busy_timeout = {seconds * 1000}")


_LOCK_WAITS = {"mysql": _limit_mysql, "mariadb": _limit_mysql, "sqlite": _limit_sqlite}


def _note_the_dialect(dialect: Any, record: Any, positional: Any, named: dict[str, Any]) -> None:
    """The pool's own event does not know the dialect. libpq's time-out is set by the environment."""
    if record is not None:
        record.info[_DIALECT] = dialect.name
    if dialect.driver in ("asyncpg", "pg8000"):
        named.setdefault("timeout", CONNECT_SECONDS)
