"""The body and the headers of a message."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headway_operator.hooks.message import CUTS, MOST_BYTES, message_id, message_of
from support.receivers import a_delivery

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_what_is_short_arrives_as_it_is(data: dict) -> None:
    assume(len(json.dumps(data, ensure_ascii=False).encode()) < MOST_BYTES - 200)
    assert json.loads(message_of(a_delivery("", data=data)).body)["data"] == data


@pytest.mark.parametrize(
    "data",
    [
        {"message": "x" * 1_000_000},
        {"message": "ß€😀" * 10_000},
        {"revisions": [{"revision": f"{n:012x}", "title": "t" * 50} for n in range(2000)]},
        {"databases": {f"database-{n}": "x" * 200 for n in range(5000)}},
        {"deep": [[["x" * 1000] * 20] * 20] * 3},
        {"k" * 2000 + str(n): n for n in range(1000)},
        {"message": "\x00\x01\x02" * 100_000},
    ],
    ids=["text", "unicode", "list", "object", "deep", "keys", "escapes"],
)
def test_a_body_stays_below_20_kb_and_says_that_it_was_cut(data: dict) -> None:
    body = message_of(a_delivery("", data={"resource": "shop", **data})).body
    assert len(body) <= MOST_BYTES
    payload = json.loads(body)
    assert payload["data"]["truncated"] is True
    assert (payload["type"], payload["timestamp"]) == ("dev.headway.database.after", "2026-11-23T08:00:00Z")


def test_no_more_is_cut_than_is_needed() -> None:
    text, items = CUTS[0]
    payload = json.loads(message_of(a_delivery("", data={"a": "x" * 30_000, "b": list(range(9))})).body)
    assert payload["data"] == {"a": "x" * (text - 1) + "…", "b": list(range(9)), "truncated": True}
    assert items > 9


def test_what_is_of_fixed_size_is_kept_before_texts_and_lists() -> None:
    payload = json.loads(message_of(a_delivery("", data={"rows": 7, "log": ["x" * 90] * 3000})).body)
    assert payload["data"]["rows"] == 7
    assert payload["data"]["log"][0] == "x" * 90


def test_a_name_that_was_read_with_the_wrong_encoding_can_be_sent() -> None:
    assert json.loads(message_of(a_delivery("", data={"name": "a\udce9b"})).body)["data"]["name"] == "a?b"


@given(st.text(min_size=1), st.text(min_size=1))
def test_an_id_has_no_full_stop_is_stable_and_tells_messages_apart(one: str, other: str) -> None:
    assert "." not in message_id(one)
    assert message_id(one).isascii()
    assert len(message_id(one)) <= 128
    assert (message_id(one) == message_id(other)) == (one == other)


def test_a_plain_id_is_sent_as_it_is() -> None:
    assert message_id("msg_3f9c2e-main_ae10") == "msg_3f9c2e-main_ae10"


@given(st.text())
def test_no_value_breaks_out_of_its_header(text: str) -> None:
    headers = message_of(a_delivery("", subject=text, source=text, event=text)).headers
    assert all(value.isascii() and value.isprintable() for value in headers.values())
