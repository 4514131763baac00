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
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from headway_runner.words.standard_streams import flush

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
    flush()
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
        flush()
        for number, descriptor in enumerate(kept, start=1):
            os.dup2(descriptor, number)
        for descriptor in (*kept, nowhere):
            os.close(descriptor)


def _install() -> None:
    """Hooks stay for the rest of the process, and do nothing outside of a quarantine."""
    if _State.hooked:
        return
    _State.hooked = True
    sys.meta_path.insert(0, _GuardsLater(dict(_BELOW_PYTHON)))
    for module, _ in _BELOW_PYTHON:
        if module.partition(".")[0] in sys.modules:
            _load(module)
    event.listen(Engine, "do_connect", lambda *_: _refuse_if_active(CONNECTS))
    event.listen(Engine, "before_cursor_execute", lambda *_: _refuse_if_active(QUERIES))
    sys.addaudithook(_audit)


def _load(module: str) -> None:
    """One of a driver that is there; what was loaded before is guarded where it is."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        _guard(loaded, dict(_BELOW_PYTHON)[module])
        return
    try:
        importlib.import_module(module)
    except ImportError:
        # A driver that cannot be loaded connects to nothing.
        return


class _GuardsLater:
    """Guards what is not loaded yet as soon as it is: loading a driver that nobody uses takes megabytes."""

    def __init__(self, waiting: dict[str, str]) -> None:
        self._waiting = waiting

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """As Python finds it, and guarded once it is executed."""
        below = self._waiting.pop(name, "")
        spec = importlib.util.find_spec(name) if below else None
        if spec is None or spec.loader is None:
            return None
        own = spec.loader.exec_module

        def guarded(module: ModuleType) -> None:
            own(module)
            _guard(module, below)

        spec.loader.exec_module = guarded  # type: ignore[method-assign]
        return spec


def _guard(module: ModuleType, path: str) -> None:
    *holders, name = path.split(".")
    holder: Any = module
    try:
        for one in holders:
            holder = getattr(holder, one)
        own: Callable[..., Any] = getattr(holder, name)
    except AttributeError:
        # Of another release, which has nothing of that name.
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
