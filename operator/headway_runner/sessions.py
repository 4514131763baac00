"""The settings of every PostgreSQL session that the user's code opens, and the check that no pooler is in between.

Rule: nothing is set on a session behind a pooler, because it would stay with the application's own connections.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import Pool

from headway_contract.request import RunRequest
from headway_contract.result import Failure
from headway_runner.dbapi import adapter_of, backend_pid, limit_only_connecting, query
from headway_runner.failures import RunFailed
from headway_runner.secrecy import learn

CONNECT_SECONDS = 10
_DIALECT = "headway.dialect"
_PREPARED = "headway.prepared"
_FIRST_WITH_CONNECTION_CHECK = 140000


class Sessions:
    """Prepares sessions as they are opened, and again when a context of Alembic takes one that was missed."""

    def __init__(self, request: RunRequest, read_only: bool) -> None:
        self._request = request
        self._read_only = read_only

    def install(self) -> None:
        """Listen to all engines of this process."""
        event.listen(Engine, "do_connect", _note_the_dialect)
        event.listen(Pool, "connect", self._opened)

    def _opened(self, adapter: Any, record: Any) -> None:
        if record.info.get(_DIALECT) == "postgresql":
            limit_only_connecting(adapter)
            record.info[_PREPARED] = self._prepare(adapter)
            adapter.commit()

    def take(self, connection: Connection) -> None:
        """Make sure that a migration connection is prepared; raises :class:`RunFailed` ``PoolerDetected``."""
        if connection.dialect.name != "postgresql":
            return
        info = connection.info
        if _PREPARED not in info:
            adapter = adapter_of(connection)
            info[_PREPARED] = self._prepare(adapter)
            if not connection.in_transaction():
                adapter.commit()
        if not info[_PREPARED]:
            raise RunFailed(
                Failure(
                    "PoolerDetected",
                    "The server process that answers is not the one that accepted the connection.",
                )
            )

    def _prepare(self, adapter: Any) -> bool:
        """Whether the session is the server's own; only then it is set up."""
        ((pid, version),) = query(adapter, "SELECT pg_backend_pid(), current_setting('server_version_num')")
        if backend_pid(adapter) not in (None, int(pid)):
            return False
        values = session_values(self._request, self._read_only, int(version))
        query(
            adapter, "SELECT " + ", ".join(f"set_config('{key}', '{value}', false)" for key, value in values)
        )
        return True


def session_values(request: RunRequest, read_only: bool, server_version: int) -> tuple[tuple[str, str], ...]:
    """PostgreSQL settings of a session, for a server version as ``server_version_num`` gives it."""
    values = [("lock_timeout", f"{request.lock_timeout_seconds}s")]
    if server_version >= _FIRST_WITH_CONNECTION_CHECK:
        # Without it a statement runs on for as long as it takes after its client was killed.
        values.append(("client_connection_check_interval", "2s"))
    if request.statement_timeout_seconds:
        values.append(("statement_timeout", f"{request.statement_timeout_seconds}s"))
    if read_only:
        values.append(("default_transaction_read_only", "on"))
    return tuple(values)


def _note_the_dialect(dialect: Any, record: Any, positional: Any, named: dict[str, Any]) -> None:
    """The pool's own event does not know the dialect. libpq's time-out is set by the environment."""
    learn(named.get("password"))
    if record is not None:
        record.info[_DIALECT] = dialect.name
    if dialect.driver in ("asyncpg", "pg8000"):
        named.setdefault("timeout", CONNECT_SECONDS)
