"""Receivers that others wrote understand what a real socket got: Standard Webhooks, CloudEvents, libsodium."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_binary_event
from cryptography.exceptions import InvalidSignature
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from standardwebhooks import Webhook, WebhookVerificationError

from headway_operator.hooks.endpoints import Endpoints, parse
from headway_operator.hooks.own_key import SigningKey
from support.receivers import AGENT, Received, a_delivery, a_receiver, a_sender
from support.tree import ROOT

NEW, OLD, OTHER = (f"whsec_{base64.b64encode(bytes((n,)) * 32).decode()}" for n in (1, 2, 3))


async def received(tmp_path, delivery=None, keys=(), secrets=(), **fields) -> Received:
    """What a receiver got that the administrator has set up with these secrets."""
    async with a_receiver() as receiver:
        entry = {"name": "chat", "url": receiver.url, "secrets": list(secrets), "headers": {"X-Team": "a"}}
        file = tmp_path / "endpoints.yaml"
        file.write_text(json.dumps({"endpoints": [entry]}))
        async with a_sender(endpoints=Endpoints(str(file)), keys=keys, **fields) as sender:
            await sender.send(delivery or a_delivery(endpoint="chat"))
        (got,) = receiver.got
        return got


async def test_standard_webhooks_verifies_with_either_secret_while_they_are_changed(tmp_path) -> None:
    got = await received(tmp_path, secrets=(NEW, OLD), keys=(SigningKey.generate(),))
    for secret in (NEW, OLD):
        payload = Webhook(secret).verify(got.body, dict(got.headers))
        assert payload["type"] == "dev.headway.database.after"
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(OTHER).verify(got.body, dict(got.headers))
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(NEW).verify(got.body + b" ", dict(got.headers))


async def test_standard_webhooks_finds_a_message_of_a_wrong_clock_too_old(tmp_path) -> None:
    got = await received(tmp_path, secrets=(NEW,), now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(NEW).verify(got.body, dict(got.headers))


async def test_libsodium_verifies_the_operators_own_signature(tmp_path) -> None:
    key, before = SigningKey.generate(), SigningKey.generate()
    got = await received(tmp_path, keys=(key, before), secrets=(NEW,))
    content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    versions = [one.partition(",")[0] for one in got.headers["webhook-signature"].split(" ")]
    assert versions == ["v1a", "v1a", "v1"]
    signatures = [base64.b64decode(one.partition(",")[2]) for one in got.headers["webhook-signature"].split()]
    for own, signature in zip((key, before), signatures, strict=False):
        verifier = VerifyKey(base64.b64decode(str(own.public).removeprefix("whpk_")))
        assert verifier.verify(content, signature) == content
        with pytest.raises(BadSignatureError):
            verifier.verify(content + b" ", signature)


async def test_cloudevents_reads_the_same_body(tmp_path) -> None:
    delivery = a_delivery(endpoint="chat", subject='main "ß" 100%')
    got = await received(tmp_path, delivery)
    headers = {name.lower(): value for name, value in got.headers.items()}
    event = from_binary_event(HTTPMessage(headers, got.body))
    assert event.get_id() == got.headers["webhook-id"] == delivery.id
    assert event.get_type() == delivery.event
    assert event.get_source() == delivery.source
    assert event.get_subject() == delivery.subject
    assert event.get_time() == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert event.get_datacontenttype() == "application/json"
    assert event.get_data() == json.loads(got.body)
    assert event.get_data()["data"] == delivery.data


async def test_every_attempt_has_the_same_id_and_body_and_a_time_of_its_own(tmp_path) -> None:
    moments = iter(datetime(2026, 11, 23, 8, 0, n, tzinfo=UTC) for n in range(60))
    async with a_receiver() as receiver, a_sender(now=lambda: next(moments)) as sender:
        for _ in range(2):
            await sender.send(a_delivery(receiver.url))
    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(first.headers["webhook-timestamp"]) < int(second.headers["webhook-timestamp"])


async def test_the_administrators_headers_come_along_and_we_say_who_we_are(tmp_path) -> None:
    got = await received(tmp_path)
    assert got.headers["X-Team"] == "a"
    assert got.headers["User-Agent"] == AGENT


async def test_without_a_key_and_secrets_there_is_no_signature_and_nothing_secret_for_a_url() -> None:
    async with a_receiver() as receiver, a_sender() as sender:
        await sender.send(a_delivery(receiver.url))
    assert "webhook-signature" not in receiver.got[0].headers
    assert "X-Team" not in receiver.got[0].headers


async def test_the_receivers_of_the_documentation_verify(tmp_path) -> None:
    page = (ROOT / "docs" / "hooks.md").read_text()
    shared, public = re.findall(r"```python\n(.*?)```", page, re.S)
    key = SigningKey.generate()
    got = await received(tmp_path, keys=(key,), secrets=(NEW,))
    headers = {name.lower(): value for name, value in got.headers.items()}
    for code in (shared, public):
        receiver = {"SECRET": NEW, "PUBLIC": str(key.public)}
        exec(code, receiver)
        assert receiver["verified"](headers, got.body)["type"] == "dev.headway.database.after"
        with pytest.raises((WebhookVerificationError, InvalidSignature)):
            receiver["verified"](headers, got.body + b" ")


def test_the_endpoints_of_the_documentation_can_be_used() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text()
    (example,) = re.findall(r"```yaml\n(endpoints:.*?)```", page, re.S)
    endpoint = parse(example)["team-chat"]
    assert len(endpoint.secrets) == 2
    assert endpoint.namespaces == ("shop", "billing")
