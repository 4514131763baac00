"""While revisions are rendered, their code can reach no database, write no file, start no program, print nothing.

What is tried is refused and noted, also when the code hides the refusal. It is a guard against accidents: a revision
that runs anyway may do all of that a moment later.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

CONNECTS = "connects to something"
QUERIES = "uses a database connection of its own"
WRITES = "changes files"
STARTS = "starts another program"

_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_DOINGS = {
    "socket.connect": CONNECTS,
    "socket.getaddrinfo": CONNECTS,
    "socket.sendto": CONNECTS,
    "subprocess.Popen": STARTS,
    "os.system": STARTS,
    "os.exec": STARTS,
    "os.posix_spawn": STARTS,
    "os.spawn": STARTS,
    "os.fork": STARTS,
    "os.forkpty": STARTS,
    "os.kill": "sends a signal",
    "os.killpg": "sends a signal",
    **{
        f"os.{name}": WRITES
        for name in (
            "remove",
            "rename",
            "rmdir",
            "mkdir",
            "truncate",
            "link",
            "symlink",
            "chmod",
            "chown",
            "utime",
        )
    },
}
"""Python's audit events and what they mean."""
_BELOW_PYTHON = (
    ("psycopg.generators", "connect"),
    ("psycopg2", "_connect"),
    ("MySQLdb.connections", "Connection.__init__"),
)
"""Where drivers that no audit event tells of open a connection, also for who has imported their function before."""


class Refused(BaseException):
    """Not an Exception: code that tries again whatever happens must not."""


class _State:
    active = False
    doing = ""
    """What was tried first."""
    hooked = False


def tried() -> str:
    """What has been refused since this was asked last; empty: nothing."""
    doing, _State.doing = _State.doing, ""
    return doing


@contextmanager
def quarantine() -> Iterator[None]:
    """For this process, until the end of the block; descriptors 1 and 2 lead nowhere meanwhile."""
    _install()
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = os.dup(1), os.dup(2)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    wrote_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _State.active, _State.doing = True, ""
    try:
        yield
    finally:
        _State.active = False
        sys.dont_write_bytecode = wrote_bytecode
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in enumerate(kept, start=1):
            os.dup2(descriptor, number)
        for descriptor in (*kept, nowhere):
            os.close(descriptor)


def _install() -> None:
    """Hooks stay for the rest of the process, and do nothing outside of a quarantine."""
    if _State.hooked:
        return
    _State.hooked = True
    for module, path in _BELOW_PYTHON:
        if importlib.util.find_spec(module.partition(".")[0]) is not None:
            _guard(module, path)
    event.listen(Engine, "do_connect", lambda *_: _refuse_if_active(CONNECTS))
    event.listen(Engine, "before_cursor_execute", lambda *_: _refuse_if_active(QUERIES))
    sys.addaudithook(_audit)


def _guard(module: str, path: str) -> None:
    *holders, name = path.split(".")
    try:
        holder: Any = importlib.import_module(module)
        for one in holders:
            holder = getattr(holder, one)
        own: Callable[..., Any] = getattr(holder, name)
    except (ImportError, AttributeError):
        # A driver that cannot be loaded connects to nothing; of another release it may have nothing of that name.
        return

    def guarded(*arguments: Any, **named: Any) -> Any:
        _refuse_if_active(CONNECTS)
        return own(*arguments, **named)

    setattr(holder, name, guarded)


def _audit(name: str, arguments: tuple[Any, ...]) -> None:
    if not _State.active:
        return
    if name == "open":
        if _writes(*arguments):
            _refuse(WRITES)
    elif name == "sqlite3.connect":
        if arguments[0] != ":memory:":
            _refuse(CONNECTS)
    elif name in _DOINGS:
        _refuse(_DOINGS[name])


def _writes(path: object, mode: object, flags: object) -> bool:
    if path == os.devnull:
        return False
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return isinstance(flags, int) and bool(flags & _WRITING_FLAGS)


def _refuse_if_active(doing: str) -> None:
    if _State.active:
        _refuse(doing)


def _refuse(doing: str) -> None:
    _State.doing = _State.doing or doing
    raise Refused(doing)
