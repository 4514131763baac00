"""The kubelet's own HTTPS server: it hands container logs to the API server, which hands them to `kubectl logs`."""

import datetime
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from support.certificates import Authority
from support.process_kubelet.container_log import ContainerLog, LogOptions


class LogsUnavailable(Exception):
    """There is no log to show: `status` (HTTP) and the sentence that the kubelet would say."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


# Namespace, pod and container → its log; raises LogsUnavailable.
FindLog = Callable[[str, str, str], ContainerLog]


class LogServer:
    """Serves from the start until `stop`; the API server calls it at `port` on 127.0.0.1."""

    def __init__(self, find_log: FindLog, folder: Path) -> None:
        authority = Authority(folder)
        authority.issue_server("kubelet", ["127.0.0.1"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "kubelet.crt", folder / "kubelet.key")
        self._server = _Server(("127.0.0.1", 0), _handler(find_log))
        # The handshake belongs to the connection's own thread, or one silent client would stop all others.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="log-server")
        self._thread.start()

    def stop(self) -> None:
        """Takes no further requests."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that goes away in the middle is nothing to speak of."""


def _handler(find_log: FindLog) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(address.query))
            try:
                log = find_log(*_names(address.path))
            except LogsUnavailable as unavailable:
                self._refuse(unavailable)
                return
            self._send(log.read(log_options(query, datetime.datetime.now(datetime.UTC))))

        def _refuse(self, unavailable: LogsUnavailable) -> None:
            text = unavailable.message.encode()
            self.send_response(unavailable.status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _send(self, lines: Iterator[bytes]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with suppress(OSError):
                for line in filter(None, lines):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not printed."""

    return Handler


def _names(path: str) -> tuple[str, str, str]:
    match path.strip("/").split("/"):
        case ["containerLogs", namespace, pod, container]:
            return namespace, pod, container
    raise LogsUnavailable(404, f"the process kubelet serves nothing but container logs, not {path}")


def log_options(query: dict[str, str], now: datetime.datetime) -> LogOptions:
    """The query of a log request as the API server passes it on."""
    since = None
    if text := query.get("sinceTime"):
        since = datetime.datetime.fromisoformat(text)
    elif seconds := query.get("sinceSeconds"):
        since = now - datetime.timedelta(seconds=int(seconds))
    return LogOptions(
        follow=query.get("follow") == "true",
        since=since,
        tail_lines=int(query["tailLines"]) if "tailLines" in query else None,
        timestamps=query.get("timestamps") == "true",
        limit_bytes=int(query["limitBytes"]) if "limitBytes" in query else None,
    )
