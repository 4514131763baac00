"""Revisions that wait for a test in their middle, and a database server that comes and goes."""

import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from support.postgres import Database
from support.projects import Project
from support.waiting import wait_until


class Gate:
    """A revision that tells that it has begun, and then waits to be let through."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._reached = folder / f"{name}-reached"
        self._open = folder / f"{name}-open"

    def add_to(self, project: Project) -> "Gate":
        """Put a revision of this name into the project; it creates a table of this name once let through."""
        project.revision(self.name, _waiting(repr(str(self._reached)), repr(str(self._open)), self.name))
        return self

    def wait_until_reached(self) -> None:
        """Until a runner stands in it."""
        wait_until(self._reached.exists, what=f"the revision {self.name} to begin")

    def open(self) -> None:
        """Let everybody through from now on."""
        self._open.touch()


def gates_of(folder: Path, project: Project, name: str, databases: Mapping[str, Database]) -> dict[str, Gate]:
    """One revision of this name at which each database has a gate of its own."""
    place = f"{str(folder) + '/'!r} + op.get_bind().engine.url.database"
    project.revision(name, _waiting(f"{place} + '-reached'", f"{place} + '-open'", name))
    return {one: Gate(folder, database.name) for one, database in databases.items()}


def _waiting(reached: str, opened: str, table: str) -> str:
    """What a revision does that touches one file and waits for the other, each given as an expression."""
    return f"""
        import pathlib, time
        pathlib.Path({reached}).touch()
        while not pathlib.Path({opened}).exists():
            time.sleep(0.02)
        op.create_table({table!r}, sa.Column('id', sa.Integer, primary_key=True))
        """


class Doorway:
    """A TCP port that leads to a database server when it is open, and refuses connections when it is not."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        target = (address.hostname or "127.0.0.1", address.port or 5432)
        self._server = _Server(("127.0.0.1", 0), _forwarding_to(target), bind_and_activate=False)
        # Bound and not listened to: nobody else gets the port, and who connects is refused.
        self._server.server_bind()
        self.url = url.replace(f":{address.port}/", f":{self._server.server_address[1]}/")

    def open(self) -> None:
        """From now on connections reach the server."""
        self._server.server_activate()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """From now on connections are refused; those that stand go on. It was open before."""
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


def _forwarding_to(target: tuple[str, int]) -> Callable[..., socketserver.BaseRequestHandler]:
    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(target) as beyond:
                back = threading.Thread(target=_copy, args=(beyond, self.request), daemon=True)
                back.start()
                _copy(self.request, beyond)
                back.join()

    return Forward


def _copy(source: socket.socket, destination: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            destination.sendall(data)
    with suppress(OSError):
        destination.shutdown(socket.SHUT_WR)
