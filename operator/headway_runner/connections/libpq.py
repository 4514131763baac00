"""PostgreSQL asked through libpq itself, the C library below psycopg and psycopg2, without either of them.

Importing a driver takes 8 MB and as long as a dozen small queries; a few statements need none of it.
Rule: statements without parameters, values as text, and errors that tell nothing: whoever meets one asks elsewhere.
"""

import ctypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_OK = 0
_HAS_ROWS = 2
"""``CONNECTION_OK`` and ``PGRES_TUPLES_OK``."""
_BOOL = 16
_INTEGERS = (20, 21, 23, 26)
"""By the numbers of their types."""
_FUNCTIONS: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("PQconnectdbParams", ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)),
    ("PQstatus", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQsocket", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQbackendPID", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQfinish", None, (ctypes.c_void_p,)),
    ("PQexec", ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_char_p)),
    ("PQresultStatus", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQntuples", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQnfields", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQftype", ctypes.c_uint, (ctypes.c_void_p, ctypes.c_int)),
    ("PQgetisnull", ctypes.c_int, (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)),
    ("PQgetvalue", ctypes.c_char_p, (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)),
    ("PQclear", None, (ctypes.c_void_p,)),
)
"""What is used of it: name, result, arguments."""


class NotAnswered(Exception):
    """The server could not be reached, or refused a statement."""


class Session:
    """One open session in which each statement commits itself; for ``dbapi`` it is a driver's connection."""

    def __init__(self, library: str, arguments: Iterable[tuple[str, str]]) -> None:
        """Connect with libpq's own words; raises :class:`NotAnswered`, or OSError without such a library."""
        self._library = _loaded(library)
        words = {**dict(arguments), "client_encoding": "UTF8"}
        self._session = self._library.PQconnectdbParams(_texts(words), _texts(words.values()), 0)
        if self._library.PQstatus(self._session) != _OK:
            self.close()
            raise NotAnswered

    def close(self) -> None:
        """End it."""
        self._library.PQfinish(self._session)

    def fileno(self) -> int:
        """Its socket."""
        return int(self._library.PQsocket(self._session))

    def get_backend_pid(self) -> int:
        """As the server told it when it accepted the connection."""
        return int(self._library.PQbackendPID(self._session))

    def cursor(self) -> "Cursor":
        """For one statement."""
        return Cursor(self)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a statement that returns some; raises :class:`NotAnswered`."""
        library = self._library
        result = library.PQexec(self._session, statement.encode())
        try:
            if library.PQresultStatus(result) != _HAS_ROWS:
                raise NotAnswered
            fields, rows = range(library.PQnfields(result)), range(library.PQntuples(result))
            return [tuple(self._value(result, row, field) for field in fields) for row in rows]
        finally:
            library.PQclear(result)

    def _value(self, result: int, row: int, field: int) -> Any:
        if self._library.PQgetisnull(result, row, field):
            return None
        text = self._library.PQgetvalue(result, row, field).decode()
        kind = self._library.PQftype(result, field)
        if kind == _BOOL:
            return text == "t"
        return int(text) if kind in _INTEGERS else text


class Cursor:
    """As much of a driver's as ``dbapi.query`` asks for."""

    description = True

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str) -> None:
        """Ask the server."""
        self._rows = self._session.rows(statement)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """What it answered."""
        return self._rows

    def close(self) -> None:
        """Nothing is open."""


def _loaded(path: str) -> Any:
    library = ctypes.CDLL(path)
    for name, result, arguments in _FUNCTIONS:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _texts(words: Iterable[str]) -> Any:
    """An array of C's texts, ended as C ends one."""
    texts = [word.encode() for word in words]
    return (ctypes.c_char_p * (len(texts) + 1))(*texts, None)


@contextmanager
def silent() -> Iterator[None]:
    """Without what libpq writes to stderr: whatever a server says besides its answers."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
