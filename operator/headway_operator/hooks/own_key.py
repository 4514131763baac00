"""The operator's own key: ``v1a`` (Ed25519), written ``whsk_…`` (secret) and ``whpk_…`` (public).

Loaded where such a key is set up: what computes with it takes 7 MB.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from headway_operator.hooks.signing import BadKey, decoded, encoded

MOST_KEYS = 2
"""The current one and the one before, while receivers change over."""
_PEM = re.compile(r"-----BEGIN [^-]+-----.*?-----END [^-]+-----", re.S)


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
        return f"whsk_{encoded(self.private.private_bytes_raw())}"

    def sign(self, content: bytes) -> str:
        """As it stands in the header."""
        return f"v1a,{encoded(self.private.sign(content))}"


@dataclass(frozen=True)
class PublicKey:
    """What a receiver verifies with."""

    raw: bytes

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """From ``whpk_…``; raises :class:`BadKey`."""
        raw = decoded(text, "whpk_", "a public key")
        if len(raw) != 32:
            raise BadKey(f"an Ed25519 public key has 32 bytes, and this one has {len(raw)}")
        return cls(raw)

    def __str__(self) -> str:
        """``whpk_…``."""
        return f"whpk_{encoded(self.raw)}"

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
    raw = decoded(word, "whsk_", "a signing key")
    if len(raw) not in (32, 64):
        raise BadKey(f"an Ed25519 key has 32 bytes, or 64 with its public half, and this one has {len(raw)}")
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(raw[:32]))
    if raw[32:] not in (b"", key.public.raw):
        raise BadKey("the two halves of the signing key do not belong together")
    return key
