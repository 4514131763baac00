"""Keys and secrets, as people keep them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption

from headway_operator.hooks.own_key import PublicKey, SigningKey, signing_keys
from headway_operator.hooks.signing import BadKey, SharedSecret, signed_content

CONTENT = signed_content("msg_1", 1674087231, b'{"a":1}')


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def pem(key, encryption=None) -> str:
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(kind, form, encryption or NoEncryption()).decode()


def test_the_content_is_id_time_and_body() -> None:
    assert CONTENT == b'msg_1.1674087231.{"a":1}'


def test_the_example_of_rfc_8032_gives_its_signature() -> None:
    """Section 7.1, test 3."""
    seed = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
    (key,) = signing_keys(f"whsk_{encoded(seed)}")
    assert key.public.raw.hex() == "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
    expected = (
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )
    assert key.sign(bytes.fromhex("af82")) == f"v1a,{encoded(bytes.fromhex(expected))}"


def test_a_key_is_read_in_every_form_in_which_it_is_kept() -> None:
    key = SigningKey.generate()
    raw = key.private.private_bytes_raw()
    forms = (
        key.secret_text,
        f"  {key.secret_text}\n",
        key.secret_text.rstrip("="),
        f"whsk_{encoded(raw + key.public.raw)}",
        pem(key.private),
    )
    assert [signing_keys(form)[0].public for form in forms] == [key.public] * len(forms)


@pytest.mark.parametrize("write", [lambda key: key.secret_text + "\n", lambda key: pem(key.private)])
def test_two_keys_are_taken_while_receivers_change_over(write) -> None:
    keys = [SigningKey.generate() for _ in range(3)]
    found = signing_keys("".join(map(write, keys[:2])))
    assert [key.public for key in found] == [key.public for key in keys[:2]]
    with pytest.raises(BadKey, match="there are 3"):
        signing_keys("".join(map(write, keys)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there should be one key"),
        ("whsec_" + encoded(b"x" * 32), "starts with whsk_"),
        ("whsk_abc$", "base64"),
        ("whsk_" + encoded(b"x" * 31), "has 31"),
        ("whsk_" + encoded(b"x" * 64), "do not belong together"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "not of the kind Ed25519"),
        (pem(SigningKey.generate().private, BestAvailableEncryption(b"p")), "without a password"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_without_showing_it(text: str, said: str) -> None:
    with pytest.raises(BadKey, match=said) as refusal:
        signing_keys(text)
    assert encoded(b"x" * 20) not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (encoded(b"x" * 32), "starts with whsec_"),
        ("whsec_%%%", "base64"),
        ("whsec_" + encoded(b"x" * 23), "24 to 64 bytes"),
        ("whsec_" + encoded(b"x" * 65), "24 to 64 bytes"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadKey, match=said):
        SharedSecret.parse(text)


def test_a_secret_without_its_padding_is_the_same() -> None:
    text = "whsec_" + encoded(b"s" * 32)
    assert SharedSecret.parse(text.rstrip("=")) == SharedSecret.parse(text) == SharedSecret(b"s" * 32)


def test_a_signature_is_accepted_for_its_content_and_key_only() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = key.sign(CONTENT)
    assert PublicKey.parse(str(key.public)).accepts(signature, CONTENT)
    assert not key.public.accepts(signature, CONTENT + b" ")
    assert not other.public.accepts(signature, CONTENT)
    assert not key.public.accepts("v1" + signature.removeprefix("v1a"), CONTENT)
    assert not key.public.accepts("v1a,not base64", CONTENT)
    secret = SharedSecret.parse("whsec_" + encoded(b"x" * 24))
    assert secret.accepts(secret.sign(CONTENT), CONTENT)
    assert not secret.accepts(secret.sign(CONTENT), CONTENT + b" ")
    assert not secret.accepts("v1,ß", CONTENT)


def test_nothing_secret_is_in_what_a_traceback_shows() -> None:
    key, secret = SigningKey.generate(), SharedSecret(b"x" * 24)
    assert key.secret_text.removeprefix("whsk_") not in repr(key)
    assert "xxx" not in repr(secret)
