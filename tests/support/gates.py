"""Revisions that wait for a test in their middle, and a database server that comes and goes."""

import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from support.postgres import Database
from support.projects import Project
from support.relay import Relay
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
    """A port that leads to a database server while it is open, and refuses connections while it is not."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._target = (address.hostname or "127.0.0.1", address.port or 5432)
        # Bound and never listened to: nobody else gets the port while no relay has it.
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind(("127.0.0.1", 0))
        self._port = int(self._kept.getsockname()[1])
        self._relay: Relay | None = None
        self.url = url.replace(f":{address.port}/", f":{self._port}/")

    def open(self) -> None:
        """From now on connections reach the server."""
        self._relay = Relay(self._target, self._port)

    def close(self) -> None:
        """From now on connections are refused, and those that stand are cut."""
        if self._relay is not None:
            self._relay.close()
            self._relay = None

    def leave(self) -> None:
        """Closed for good; the port is anybody's."""
        self.close()
        self._kept.close()
