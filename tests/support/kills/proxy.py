"""A way to the server that can lose an answer: what was asked arrives, what was answered does not."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit, urlunsplit

BYTES = 65536


class Proxy:
    """Hands bytes on between clients and the server of `address`; a context manager."""

    def __init__(self, address: str) -> None:
        self._parts = urlsplit(address)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._word = b""
        self.has_lost = threading.Event()
        """An answer was dropped and its connection cut."""

    @property
    def address(self) -> str:
        """The URL that leads through here."""
        credentials = self._parts.netloc.rpartition("@")[0]
        port = self._listener.getsockname()[1]
        return urlunsplit(self._parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))

    def lose_the_answer_to(self, word: bytes) -> None:
        """Once: what is asked with this word arrives; instead of the answer, the connection ends."""
        self._word = word

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # A blocked accept() does not notice a close; a shutdown it does.
        self._end(self._listener, *list(self._open))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._parts.hostname, self._parts.port))
                self._open |= {client, server}
                is_lost = threading.Event()
                threading.Thread(target=self._ask, args=(client, server, is_lost), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client, is_lost), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, is_lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(BYTES):
                if self._word and self._word in data:
                    self._word = b""
                    is_lost.set()
                server.sendall(data)
        self._end(client, server)

    def _answer(self, server: socket.socket, client: socket.socket, is_lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(BYTES):
                if is_lost.is_set():
                    self.has_lost.set()
                    break
                client.sendall(data)
        self._end(client, server)

    def _end(self, *sockets: socket.socket) -> None:
        for one in sockets:
            self._open.discard(one)
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
