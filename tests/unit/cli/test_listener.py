"""What ``headway hooks listen`` says of a message."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_cli.listener import Listener
from headway_operator.hooks.own_key import SigningKey
from headway_operator.hooks.signing import SharedSecret, signed_content

NOW = 1_795_000_000.0
KEY, OTHER_KEY = SigningKey.generate(), SigningKey.generate()
SECRET = SharedSecret(b"s" * 32)
BODY = json.dumps({"type": "t", "timestamp": "2026", "data": {"revision": "ae10"}}).encode()


def headers(*signers, body: bytes = BODY, at: float = NOW, **changes: str) -> dict[str, str]:
    content = signed_content("msg_1", int(at), body)
    signed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at)),
        "webhook-signature": " ".join(one.sign(content) for one in signers),
        "ce-type": "dev.headway.test",
    }
    return signed | changes


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (headers(KEY), "verified (v1a)"),
        (headers(SECRET), "verified (v1)"),
        (headers(OTHER_KEY, SECRET), "verified (v1)"),
        (headers(), "not signed"),
        (headers(OTHER_KEY), "NOT VERIFIED: no signature"),
        (headers(KEY, body=b"another"), "NOT VERIFIED: no signature"),
        (headers(KEY, at=NOW - 301), "NOT VERIFIED: its time"),
        (headers(KEY, at=NOW + 301), "NOT VERIFIED: its time"),
        (headers(KEY) | {"webhook-timestamp": "soon"}, "NOT VERIFIED: its time"),
        (headers(KEY) | {"webhook-id": "msg_2"}, "NOT VERIFIED: no signature"),
    ],
)
def test_only_what_somebody_known_has_signed_just_now_is_verified(sent: dict, said: str) -> None:
    assert Listener((200,), (SECRET,), (KEY.public,)).verdict(sent, BODY, NOW).startswith(said)


def test_without_a_key_it_says_that_nothing_was_verified() -> None:
    assert Listener().verdict(headers(KEY), BODY, NOW) == "signed; not verified (give --key or --secret)"


def test_answers_are_given_one_by_one_and_the_last_one_stays() -> None:
    listener = Listener((403, 503, 200))
    assert [listener.take(headers(), BODY, NOW)[0] for _ in range(5)] == [403, 503, 200, 200, 200]


def test_a_message_that_came_before_is_marked() -> None:
    listener = Listener()
    first, second = (listener.take(headers(), BODY, NOW)[1] for _ in range(2))
    assert "again" not in first
    assert "again (time 2)" in second
    assert "again" not in listener.take(headers() | {"webhook-id": "msg_2"}, BODY, NOW)[1]


def test_the_data_is_shown() -> None:
    assert '"revision": "ae10"' in Listener().take(headers(), BODY, NOW)[1]


@given(st.dictionaries(st.sampled_from(list(headers())), st.text()), st.binary() | st.just(b"[" * 100_000))
def test_whatever_arrives_is_answered_and_nothing_commands_the_terminal(sent: dict, body: bytes) -> None:
    listener = Listener((200,), (SECRET,), (KEY.public,))
    status, text = listener.take(sent, body, NOW)
    assert status == 200
    assert all(one.isprintable() or one == "\n" for one in text)
