"""A small synchronous client of a Kubernetes API server: JSON in, JSON out, nothing cached, nothing modelled.

Connections are kept alive in a pool, because a handshake per request would cost more than the request. Rule: a
request is repeated once, and only when a *kept* connection turned out to be closed by the server.
"""

import base64
import http.client
import json
import socket
import ssl
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class ApiError(Exception):
    """The server answered with an error: HTTP `status`, machine-readable `reason`, and `message` for people."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class ApiClient:
    """Paths are absolute API paths such as `/api/v1/namespaces`. Usable from many threads; close it at the end.

    Errors: ApiError for every answer from 300 up; OSError and http.client.HTTPException when there is no answer.
    """

    def __init__(self, server: str, context: ssl.SSLContext, token: str | None = None) -> None:
        address = urllib.parse.urlsplit(server)
        self.server = server
        self._host, self._port = address.hostname or "", address.port or 443
        self._context = context
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._idle: list[http.client.HTTPSConnection] = []
        self._lock = threading.Lock()

    @classmethod
    def from_kubeconfig(cls, path: Path) -> "ApiClient":
        """A client for the current context; client certificates and plain tokens are understood."""
        config = yaml.safe_load(path.read_text())
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        user = _named(config["users"], context["user"])["user"]
        return cls(cluster["server"], _tls_context(cluster, user, path.parent), user.get("token"))

    def get(self, path: str) -> Any:
        """The object or list at `path`."""
        return self._json("GET", path)

    def post(self, path: str, body: Any) -> Any:
        """Creates; returns what the server made of it."""
        return self._json("POST", path, body)

    def patch(self, path: str, body: Any, content_type: str = MERGE_PATCH) -> Any:
        """Patches; a JSON merge patch unless `content_type` says otherwise."""
        return self._json("PATCH", path, body, content_type)

    def apply(self, path: str, body: Any, manager: str = "test", force: bool = True) -> Any:
        """Server-side apply as `manager`."""
        query = urllib.parse.urlencode({"fieldManager": manager, "force": str(force).lower()})
        return self._json("PATCH", f"{path}?{query}", body, APPLY_PATCH)

    def delete(self, path: str, options: Any = None) -> Any:
        """Deletes; `options` is a DeleteOptions object (grace period, propagation, preconditions)."""
        return self._json("DELETE", path, options)

    def text(self, path: str) -> str:
        """What is at `path`, not parsed: logs, version texts."""
        return self._request("GET", path, None, "").decode(errors="replace")

    @contextmanager
    def stream(self, path: str, timeout: float = 330.0) -> Iterator["Stream"]:
        """Opens a watch or a followed log on a connection of its own; `timeout` is seconds without any data."""
        connection = http.client.HTTPSConnection(
            self._host, self._port, context=self._context, timeout=timeout
        )
        try:
            connection.connect()
            own_socket = connection.sock
            connection.request("GET", path, headers=self._headers)
            response = connection.getresponse()
            if response.status >= 300:
                raise _error(response.status, response.read())
            stream = Stream(own_socket, response)
            yield stream
            stream.interrupt()
        finally:
            connection.close()

    def close(self) -> None:
        """Closes the kept connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _json(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        return json.loads(self._request(method, path, body, content_type))

    def _request(self, method: str, path: str, body: Any, content_type: str) -> bytes:
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            with suppress(http.client.RemoteDisconnected, ConnectionError, ssl.SSLError):
                return self._exchange(kept, method, path, body, content_type)
        fresh = http.client.HTTPSConnection(self._host, self._port, context=self._context, timeout=60)
        return self._exchange(fresh, method, path, body, content_type)

    def _exchange(
        self, connection: http.client.HTTPSConnection, method: str, path: str, body: Any, content_type: str
    ) -> bytes:
        headers = {"Accept": "application/json", **self._headers}
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)
        if response.status >= 300:
            raise _error(response.status, content)
        return content


class Stream:
    """The lines of an answer that goes on; another thread may end it with `interrupt`."""

    def __init__(self, connection: socket.socket, response: http.client.HTTPResponse) -> None:
        self._socket = connection
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        """Lines with their line ends, until the server or `interrupt` ends the answer."""
        while line := self._response.readline():
            yield line

    def interrupt(self) -> None:
        """Ends the stream: whoever reads it gets its end or an OSError."""
        with suppress(OSError):
            # Not SSLSocket's own method: it drops the TLS state first, and the reader would get encrypted bytes.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _error(status: int, content: bytes) -> ApiError:
    text = content.decode(errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        return ApiError(status, http.client.responses.get(status, ""), text)
    return ApiError(status, answer.get("reason", ""), answer.get("message", text))


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)


def _tls_context(cluster: dict[str, Any], user: dict[str, Any], folder: Path) -> ssl.SSLContext:
    authority = _pem(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    certificate, key = _pem(user, "client-certificate", folder), _pem(user, "client-key", folder)
    if certificate and key:
        # ssl reads client certificates only from files.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _pem(entry: dict[str, Any], name: str, folder: Path) -> bytes | None:
    if encoded := entry.get(f"{name}-data"):
        return base64.b64decode(encoded)
    return (folder / entry[name]).read_bytes() if entry.get(name) else None
