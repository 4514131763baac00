"""Signatures as Standard Webhooks has them: what is signed, and ``v1`` (HMAC-SHA256) with a shared ``whsec_…``.

What is signed is ``ID.TIMESTAMP.BODY``. The operator's own key is in ``own_key.py``.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

SECRET_BYTES = (24, 64)
"""How long a shared secret is, at least and at most."""


class BadKey(ValueError):
    """A key or secret cannot be used; the message says what it should be and shows nothing of it."""


def signed_content(message_id: str, timestamp: int, body: bytes) -> bytes:
    """What a signature is made over."""
    return f"{message_id}.{timestamp}.".encode() + body


@dataclass(frozen=True)
class SharedSecret:
    """Known to a receiver and us."""

    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "SharedSecret":
        """From ``whsec_…``; raises :class:`BadKey`."""
        key = decoded(text, "whsec_", "a shared secret")
        least, most = SECRET_BYTES
        if not least <= len(key) <= most:
            raise BadKey(f"a shared secret has {least} to {most} bytes, and this one has {len(key)}")
        return cls(key)

    def sign(self, content: bytes) -> str:
        """As it stands in the header."""
        return f"v1,{encoded(hmac.digest(self.key, content, hashlib.sha256))}"

    def accepts(self, signature: str, content: bytes) -> bool:
        """Whether this is our signature of the content."""
        return hmac.compare_digest(signature.encode(), self.sign(content).encode())


def decoded(text: str, prefix: str, what: str) -> bytes:
    """The bytes of a written key; raises :class:`BadKey`."""
    written = text.strip()
    if not written.startswith(prefix):
        raise BadKey(f"{what} starts with {prefix}")
    plain = written.removeprefix(prefix).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise BadKey(f"{what} is {prefix} and base64 after it, and this is none") from None


def encoded(raw: bytes) -> str:
    """As a key or a signature is written."""
    return base64.b64encode(raw).decode()
