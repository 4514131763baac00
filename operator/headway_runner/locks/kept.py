"""A lock whose context has ended while env.py's own transaction is open: what it did is not committed yet.

Such a lock is given back when its connection is, which is after the end of the transaction. Where that never comes,
the end of the session or of the process frees it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import Pool

from headway_runner.connections.dbapi import adapter_of

_kept: list[tuple[Any, Callable[[], None]]] = []
"""The driver's connection, and what gives back a lock of it."""


def when_committed(connection: Connection, give_back: Callable[[], None]) -> None:
    """Give a lock back at once, or when the transaction that is open has ended and the connection is given back.

    ``give_back`` must not refer to the connection: one that is left alone is only then closed.
    """
    if not connection.in_transaction():
        give_back()
        return
    if not event.contains(Pool, "checkin", _is_given_back):
        event.listen(Pool, "checkin", _is_given_back)
    _kept.append((adapter_of(connection), give_back))


def _is_given_back(adapter: Any, *_: object) -> None:
    """No session that is broken may fail env.py here: its end frees the lock."""
    for one in [one for one in _kept if one[0] is adapter]:
        _kept.remove(one)
        with suppress(Exception):
            one[1]()
