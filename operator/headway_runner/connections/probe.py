"""A first connection by the URL that was asked for: can it be reached, and which database is it?

Its identity is what every connection of env.py is compared with.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.engine.url import URL
from sqlalchemy.pool import NullPool

from headway_contract.records import dataclass
from headway_runner.connections.dbapi import adapter_of, query, sqlite_file
from headway_runner.connections.identity import Identity, of_postgresql

T = TypeVar("T")


@dataclass(frozen=True)
class Seen:
    """What a connection told."""

    identity: Identity
    dialect: str
    server_version: str


def probe(url: URL) -> Seen:
    """Connect, look, disconnect; raises what the driver raises."""
    return ask(url, look)


def ask(url: URL, question: Callable[[Connection], T]) -> T:
    """Connect, ask, disconnect; raises what the driver raises."""
    if url.get_dialect().is_async:
        return asyncio.run(_ask_async(url, question))
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return question(connection)
    finally:
        engine.dispose()


async def _ask_async(url: URL, question: Callable[[Connection], T]) -> T:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(question)
    finally:
        await engine.dispose()


def look(connection: Connection) -> Seen:
    """Ask an open connection; ends no transaction that was begun before."""
    version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    return Seen(identity_of(connection), connection.dialect.name, version)


def identity_of(connection: Connection) -> Identity:
    """Which database this connection is on, without starting a SQLAlchemy transaction."""
    adapter = adapter_of(connection)
    identity = _IDENTITIES.get(connection.dialect.name, _by_url)(connection, adapter)
    if not connection.in_transaction():
        adapter.commit()
    return identity


def _postgresql(connection: Connection, adapter: Any) -> Identity:
    return of_postgresql(adapter)


def _mysql(connection: Connection, adapter: Any) -> Identity:
    ((name, host, port),) = query(adapter, "SELECT database(), @@hostname, @@port")
    return Identity(str(name), f"{host}:{port}")


def _sqlite(connection: Connection, adapter: Any) -> Identity:
    return Identity(sqlite_file(adapter) or ":memory:")


def _by_url(connection: Connection, adapter: Any) -> Identity:
    url = connection.engine.url
    return Identity(url.database or "", f"{url.host}:{url.port}")


_IDENTITIES = {"postgresql": _postgresql, "mysql": _mysql, "mariadb": _mysql, "sqlite": _sqlite}
