"""Below SQLAlchemy: statements on the driver's connection that start no SQLAlchemy transaction, and what it knows.

Rule: it imports nothing of SQLAlchemy, because a process without that asks by these means, too.
"""

import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SESSION = "headway.session"
"""In a connection's ``info``: the number by which the server names it, where the driver's is a pooler's."""
CANCEL_SECONDS = 5
_CANCEL_REQUEST = 80877102
"""The protocol's number for it."""


def adapter_of(connection: "Connection") -> Any:
    """The driver's connection, or SQLAlchemy's synchronous adapter of an asynchronous one."""
    pooled: Any = connection.connection
    return getattr(pooled, "dbapi_connection", None) or pooled.connection


def bare(adapter: Any) -> Any:
    """The driver's own object below an adapter (SQLAlchemy 1.4 and 2 name it differently)."""
    return getattr(adapter, "driver_connection", None) or getattr(adapter, "_connection", None) or adapter


def query(adapter: Any, statement: str) -> list[Any]:
    """Rows of a statement without parameters; [] when it returns none."""
    cursor = adapter.cursor()
    try:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        cursor.close()


def quoted(*names: str) -> str:
    """A name with what it is in, as SQL takes it; empty ones are left out."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names if name)


def backend_pid(adapter: Any) -> int | None:
    """The process id that the server gave the driver when it connected, None when the driver does not tell."""
    driver: Any = bare(adapter)
    if hasattr(driver, "get_backend_pid"):
        return int(driver.get_backend_pid())
    if hasattr(driver, "get_server_pid"):
        return int(driver.get_server_pid())
    pid = getattr(getattr(driver, "info", None), "backend_pid", None)
    if not pid and (key := _key_of_pg8000(adapter)):
        pid = int.from_bytes(key[:4], "big")
    return int(pid) if pid else None


def sqlite_file(adapter: Any) -> str:
    """The path of the database file of a SQLite connection, however its URL was written; "" for one in memory."""
    found = next((file for _, name, file in query(adapter, "PRAGMA database_list") if name == "main"), "")
    return os.path.realpath(found) if found else ""


def session_id(adapter: Any) -> int | None:
    """The number by which the server's own views name this session, None when the driver does not tell."""
    thread = getattr(bare(adapter), "thread_id", None)
    return int(thread()) if callable(thread) else backend_pid(adapter)


def _key_of_pg8000(adapter: Any) -> bytes:
    """Process id and secret as the server sent them when it accepted the connection; b"" for other drivers."""
    return bytes(getattr(adapter, "_backend_key_data", None) or b"")


def _cancel_request(adapter: Any) -> None:
    """PostgreSQL's own message to cancel, for pg8000, which has no call for it: a connection of its own."""
    known = adapter._usock
    with socket.socket(known.family, socket.SOCK_STREAM) as one:
        one.settimeout(CANCEL_SECONDS)
        one.connect(known.getpeername())
        key = _key_of_pg8000(adapter)
        one.sendall(struct.pack("!ii", 8 + len(key), _CANCEL_REQUEST) + key)
        one.recv(1)


def end_stray_transaction(adapter: Any) -> None:
    """pg8000 stays in the transaction in which SQLAlchemy asked for the isolation level before AUTOCOMMIT was set."""
    if _key_of_pg8000(adapter) and adapter.autocommit and adapter._in_transaction:
        adapter.commit()


def limit_only_connecting(adapter: Any) -> None:
    """pg8000 keeps the time-out of connecting for its statements, too; they may take as long as they need."""
    if _key_of_pg8000(adapter):
        adapter._usock.settimeout(None)


def _canceller_of_task() -> Callable[[], None] | None:
    """In a task of asyncio: what cancels that; where it is not loaded there is none."""
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
    except RuntimeError:
        return None
    return None if task is None else lambda: void(loop.call_soon_threadsafe(task.cancel))


_FROM_A_SECOND_SESSION = {
    "mysql": ("SELECT connection_id()", "KILL QUERY {}"),
    "mariadb": ("SELECT connection_id()", "KILL QUERY {}"),
}
"""Who the session is, and what cancels its statement: none of the drivers can."""


def canceller_of(connection: "Connection") -> Callable[[], None]:
    """A function for another thread that cancels what the connection is doing, by the driver's own means."""
    adapter = adapter_of(connection)
    in_loop = _canceller_of_task()
    if in_loop is not None:
        return in_loop
    if _key_of_pg8000(adapter):
        return lambda: _cancel_request(adapter)
    for name in ("cancel_safe", "cancel", "interrupt"):
        method = getattr(adapter, name, None)
        if method is not None:
            return lambda: void(method())
    return _canceller_from_a_second_session(connection, adapter)


def _canceller_from_a_second_session(connection: "Connection", adapter: Any) -> Callable[[], None]:
    """A connection of its own is opened when it comes to that, as the engine opens its connections."""
    if connection.dialect.name not in _FROM_A_SECOND_SESSION:
        return lambda: None
    who, cancel = _FROM_A_SECOND_SESSION[connection.dialect.name]
    session = int(query(adapter, who)[0][0])
    if not connection.in_transaction():
        adapter.commit()
    pool = connection.engine.pool

    def from_a_second_session() -> None:
        second: Any = pool.recreate().connect()
        try:
            query(second, cancel.format(session))
        finally:
            second.detach()
            second.close()

    return from_a_second_session


def void(_: object) -> None:
    """Drop a return value."""
