"""Learns what connections are opened with, wherever it comes from: the URL, env.py, its listeners, a token service.

Rule: the last place before the driver is watched, because listeners of env.py run after ours; and the open connection
is asked, because an engine with a ``creator`` opens it behind SQLAlchemy's back.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import wraps
from operator import attrgetter
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from headway_contract.masking import SECRET_VARIABLE
from headway_runner.connections.dbapi import bare
from headway_runner.words.secrecy import learn, learn_within, show

_NAMES = ("user", "username", "host", "database", "dbname", "db")


def learn_what_connects() -> None:
    """Wrap the class of all dialects, for the rest of this process."""
    connect_of_sqlalchemy = DefaultDialect.connect

    @wraps(connect_of_sqlalchemy)
    def connect(self: Any, *positional: Any, **named: Any) -> Any:
        return connect_of_sqlalchemy(self, *positional, **learned(positional, named))

    setattr(DefaultDialect, "connect", connect)  # noqa: B010


def learned(positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a driver's ``connect``, learnt; a function that gives the password is learnt when it does."""
    for value in positional:
        if isinstance(value, str):
            learn_within(value)
    show(*(named[name] for name in _NAMES if isinstance(named.get(name), str)))
    return {name: _learned(name, value) for name, value in named.items()}


def _learned(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _learned(str(key), inner)
    elif SECRET_VARIABLE.search(name):
        if callable(value):
            return _learning(value)
        learn(value)
    elif isinstance(value, str):
        learn_within(value)
    return value


def _learning(give: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, for asyncpg also one that must be awaited; what it gives is learnt."""

    async def awaited(given: Awaitable[Any]) -> Any:
        password = await given
        learn(password)
        return password

    @wraps(give)
    def called(*positional: Any, **named: Any) -> Any:
        password = give(*positional, **named)
        if inspect.isawaitable(password):
            return awaited(password)
        learn(password)
        return password

    return called


def learn_connection(adapter: Any) -> None:
    """The password of an open connection, as far as its driver keeps it (psycopg, psycopg2, asyncpg, PyMySQL)."""
    driver = bare(adapter)
    for path in ("password", "_password", "info.password", "_params.password"):
        with suppress(Exception):  # a property of a driver may raise whatever it likes
            learn(attrgetter(path)(driver))
