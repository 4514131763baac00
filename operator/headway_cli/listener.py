"""The receiver of ``headway hooks listen``: prints what arrives, and says whether it is to be believed."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from headway_operator.hooks.own_key import PublicKey
from headway_operator.hooks.signing import SharedSecret, signed_content

MOST_BYTES = 64 * 1024
TOLERANCE_SECONDS = 300
"""How far a message's time may be from ours; Standard Webhooks leaves the number to receivers."""
SILENCE_SECONDS = 30


class Listener:
    """What is known of the messages so far; one caller at a time."""

    def __init__(
        self,
        answers: Sequence[int] = (200,),
        secrets: Sequence[SharedSecret] = (),
        keys: Sequence[PublicKey] = (),
    ) -> None:
        self._answers = list(answers)
        self._secrets = tuple(secrets)
        self._keys = tuple(keys)
        self._times: Counter[str] = Counter()

    def take(self, headers: Mapping[str, str], body: bytes, now: float) -> tuple[int, str]:
        """The status to answer with, and what to print."""
        status = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        identity = headers.get("webhook-id", "")
        self._times[identity] += 1
        again = f"  again (time {self._times[identity]})" if identity and self._times[identity] > 1 else ""
        head = (
            f"{time.strftime('%H:%M:%S', time.localtime(now))}  {headers.get('ce-type', 'no CloudEvent')}"
            f"  {identity or 'no webhook-id'}{again}  {self.verdict(headers, body, now)}  → {status}"
        )
        return status, printable(f"{head}\n{_shown(body)}")

    def verdict(self, headers: Mapping[str, str], body: bytes, now: float) -> str:
        """Whether one of the signatures is from somebody we know, in a few words."""
        stamp, signatures = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "").split()
        if not signatures:
            return "not signed"
        if not self._secrets and not self._keys:
            return "signed; not verified (give --key or --secret)"
        if not stamp.isascii() or not stamp.isdecimal() or abs(now - int(stamp)) > TOLERANCE_SECONDS:
            return "NOT VERIFIED: its time is more than 5 minutes from ours"
        content = signed_content(headers.get("webhook-id", ""), int(stamp), body)
        known: tuple[SharedSecret | PublicKey, ...] = (*self._secrets, *self._keys)
        found = [
            one.partition(",")[0] for one in signatures if any(key.accepts(one, content) for key in known)
        ]
        return (
            f"verified ({found[0]})"
            if found
            else "NOT VERIFIED: no signature is of a key or secret given here"
        )


def printable(text: str) -> str:
    """Without what would command a terminal."""
    return "".join(one if one.isprintable() or one == "\n" else "?" for one in text)


def listen(address: str, port: int, listener: Listener, say: Callable[[str], None] | None = None) -> None:
    """Until Ctrl-C; raises :class:`OSError` when the port cannot be had."""
    tell = say or (lambda text: print(text, flush=True))
    with ThreadingHTTPServer((address, port), _handler_of(listener, tell)) as server:
        tell(f"listening on http://{address}:{server.server_address[1]}/ (Ctrl-C ends it)")
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            tell("stopped")


def _handler_of(listener: Listener, tell: Callable[[str], None]) -> type[BaseHTTPRequestHandler]:
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        timeout = SILENCE_SECONDS
        server_version = f"headway-hooks-listen/{version('headway')}"
        sys_version = ""

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self.send_error(413 if length.isdecimal() else 411)
                return
            body = self.rfile.read(int(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with one_at_a_time:
                status, text = listener.take(headers, body, time.time())
                tell(text)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """What is worth telling has been told."""

    return Handler


def _shown(body: bytes) -> str:
    try:
        payload = json.loads(body)
        text = json.dumps(payload["data"], indent=2, ensure_ascii=False)
    except (ValueError, KeyError, TypeError, RecursionError):
        text = f"no payload of Standard Webhooks: {body[:200]!r}"
    return "\n".join(f"  {line}" for line in text.splitlines())
