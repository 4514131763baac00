"""A receiver of hooks on a real socket, in a thread of its own: keeps what came, each message once by its id."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ADDRESS = "127.0.0.2"
"""Not the API server's: that one may never be called."""
MAY_BE_CALLED = {"HEADWAY_HOOKS_ALLOW": ADDRESS, "HEADWAY_HOOKS_PLAIN_HTTP": ADDRESS}
"""Settings of an operator that calls it."""


@dataclass(frozen=True)
class Heard:
    """One request."""

    id: str
    path: str
    """Tells the hooks apart that call here."""
    data: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    """Both as they came, for who looks at the signature."""

    @property
    def about(self) -> str:
        """``AfterRevision main r1``."""
        database = (self.data.get("database") or {}).get("name", "")
        return " ".join(filter(None, (self.data["point"], database, self.data.get("revision", ""))))


class Ear:
    """``answer`` gives the status for a request."""

    def __init__(self) -> None:
        self.requests: list[Heard] = []
        self.answer: Callable[[Heard], int] = lambda heard: 204
        self._lock = threading.Lock()

    def take(self, heard: Heard) -> int:
        """One request; only what is accepted is kept."""
        with self._lock:
            status = self.answer(heard)
            if status < 300:
                self.requests.append(heard)
            return status

    def told(self, path: str = "/") -> list[str]:
        """What came there, each message once, in the order of its first arrival."""
        with self._lock:
            first: dict[str, Heard] = {}
            for heard in self.requests:
                if heard.path == path:
                    first.setdefault(heard.id, heard)
            return [heard.about for heard in first.values()]


@contextmanager
def an_ear() -> Iterator[tuple[Ear, str]]:
    """The receiver and its address, which ends with a slash."""
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            data = json.loads(body)["data"]
            status = ear.take(Heard(self.headers["webhook-id"], self.path, data, dict(self.headers), body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer((ADDRESS, 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield ear, f"http://{ADDRESS}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
