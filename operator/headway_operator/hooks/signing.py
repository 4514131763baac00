"""Signatures as Standard Webhooks has them: ``v1a`` (Ed25519, the operator's own key) and ``v1`` (HMAC-SHA256).

What is signed is ``ID.TIMESTAMP.BODY``. Keys are written ``whsk_…`` (secret) and ``whpk_…`` (public), what a receiver
and we share ``whsec_…``.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SECRET_BYTES = (24, 64)
"""How long a shared secret is, at least and at most."""
MOST_KEYS = 2
"""The current one and the one before, while receivers change over."""
_PEM = re.compile(r"-----BEGIN [^-]+-----.*?-----END [^-]+-----", re.S)


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
        key = _decoded(text, "whsec_", "a shared secret")
        least, most = SECRET_BYTES
        if not least <= len(key) <= most:
            raise BadKey(f"a shared secret has {least} to {most} bytes, and this one has {len(key)}")
        return cls(key)

    def sign(self, content: bytes) -> str:
        """As it stands in the header."""
        return f"v1,{_encoded(hmac.digest(self.key, content, hashlib.sha256))}"

    def accepts(self, signature: str, content: bytes) -> bool:
        """Whether this is our signature of the content."""
        return hmac.compare_digest(signature.encode(), self.sign(content).encode())


@dataclass(frozen=True)
class SigningKey:
    """The operator's own: who has the public half knows that a message is from here."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new one."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def public(self) -> "PublicKey":
        """The half to give away."""
        return PublicKey(self.private.public_key().public_bytes_raw())

    @property
    def secret_text(self) -> str:
        """``whsk_…``, to be kept in a file that only the operator reads."""
        return f"whsk_{_encoded(self.private.private_bytes_raw())}"

    def sign(self, content: bytes) -> str:
        """As it stands in the header."""
        return f"v1a,{_encoded(self.private.sign(content))}"


@dataclass(frozen=True)
class PublicKey:
    """What a receiver verifies with."""

    raw: bytes

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """From ``whpk_…``; raises :class:`BadKey`."""
        raw = _decoded(text, "whpk_", "a public key")
        if len(raw) != 32:
            raise BadKey(f"an Ed25519 public key has 32 bytes, and this one has {len(raw)}")
        return cls(raw)

    def __str__(self) -> str:
        """``whpk_…``."""
        return f"whpk_{_encoded(self.raw)}"

    def accepts(self, signature: str, content: bytes) -> bool:
        """Whether this is the signature of the content."""
        version, _, text = signature.partition(",")
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(
                base64.b64decode(text, validate=True), content
            )
        except (InvalidSignature, binascii.Error):
            return False
        return version == "v1a"


def signing_keys(text: str) -> tuple[SigningKey, ...]:
    """The keys of a file, the current one first; raises :class:`BadKey`."""
    blocks = _PEM.findall(text)
    keys = tuple(map(_from_pem, blocks)) if blocks else tuple(map(_from_words, text.split()))
    if not 1 <= len(keys) <= MOST_KEYS:
        raise BadKey(
            f"there should be one key, or two while receivers change over, but there are {len(keys)}"
        )
    return keys


def _from_pem(block: str) -> SigningKey:
    try:
        key = load_pem_private_key(block.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey(
            "this is no private key in PEM without a password: make one with headway hooks key --new"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey("the key is not of the kind Ed25519: make one with headway hooks key --new")
    return SigningKey(key)


def _from_words(word: str) -> SigningKey:
    raw = _decoded(word, "whsk_", "a signing key")
    if len(raw) not in (32, 64):
        raise BadKey(f"an Ed25519 key has 32 bytes, or 64 with its public half, and this one has {len(raw)}")
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(raw[:32]))
    if raw[32:] not in (b"", key.public.raw):
        raise BadKey("the two halves of the signing key do not belong together")
    return key


def _decoded(text: str, prefix: str, what: str) -> bytes:
    written = text.strip()
    if not written.startswith(prefix):
        raise BadKey(f"{what} starts with {prefix}")
    plain = written.removeprefix(prefix).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise BadKey(f"{what} is {prefix} and base64 after it, and this is none") from None


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
