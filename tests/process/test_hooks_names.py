"""Names: all their addresses are checked, and what is connected to is what was checked."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from headway_operator.hooks.addresses import networks
from headway_operator.hooks.guard import DeniedAddress, socket_maker
from headway_operator.hooks.policy import Policy
from headway_operator.planner.deliveries import Answer
from support.certificates import Authority
from support.receivers import LOOPBACK, a_delivery, a_receiver, a_sender


class Names:
    """A name server whose answers a test sets; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def lookup(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def at(url: str, host: str) -> str:
    return url.replace("127.0.0.1", host)


async def test_a_name_that_changes_its_mind_after_the_check_gains_nothing() -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    async with a_receiver() as receiver, a_sender(lookup=names.lookup) as sender:
        answered = await sender.send(a_delivery(at(receiver.url, "hooks.test")))
        assert answered.answer is Answer.ACCEPTED
        assert names.asked == ["hooks.test"]
        assert receiver.got[0].headers["Host"].startswith("hooks.test:")
        again = await sender.send(a_delivery(at(receiver.url, "hooks.test")))
    assert again.answer is Answer.FORBIDDEN
    assert again.sentence == (
        "hooks.test: its name stands for an address of a cloud's metadata service, which no hook may call"
    )
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1", "127.0.0.2"],
        ["127.0.0.2", "127.0.0.1"],
        ["127.0.0.1", "::1"],
        ["127.0.0.1", "fe80::1%lo"],
        ["127.0.0.1", "::ffff:169.254.169.254"],
    ],
)
async def test_one_denied_address_among_those_of_a_name_is_enough(addresses: list[str]) -> None:
    async with a_receiver() as receiver, a_sender(lookup=Names(addresses).lookup) as sender:
        answered = await sender.send(a_delivery(at(receiver.url, "hooks.test")))
    assert answered.answer is Answer.FORBIDDEN
    assert receiver.got == []


async def test_a_name_for_the_address_of_the_api_server_is_denied() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return {"api.test": ["203.0.113.9", "127.0.0.1"], "hooks.test": ["127.0.0.1"]}[host]

    policy = Policy(networks(("127.0.0.0/8",)), plain_http=(".test",), api_server="api.test")
    async with a_receiver() as receiver, a_sender(policy, lookup=lookup) as sender:
        answered = await sender.send(a_delivery(at(receiver.url, "hooks.test")))
    assert answered.answer is Answer.FORBIDDEN
    assert "the API server's address" in answered.sentence
    assert receiver.got == []


async def test_a_name_that_nobody_knows_is_an_error_that_may_pass() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with a_sender(lookup=lookup) as sender:
        answered = await sender.send(a_delivery("https://hooks.example.com/x"))
    assert answered.answer is Answer.ERROR
    assert answered.sentence == ("hooks.example.com: its name cannot be resolved (Name or service not known)")


@pytest.mark.parametrize("host", ["a..test", "a" * 64 + ".test", "*.test", "x\x00.test"])
async def test_a_name_that_cannot_be_one_is_answered_for_on_any_machine(host: str) -> None:
    """Python's own reading of it fails in ways of its own."""
    for policy, answer in ((Policy(), Answer.FORBIDDEN), (Policy(is_open=True), Answer.ERROR)):
        async with a_sender(policy) as sender:
            answered = await sender.send(a_delivery(f"https://{host}/x"))
        assert answered.answer is answer
        assert answered.sentence.isprintable()


async def test_the_systems_own_resolver_is_checked_too() -> None:
    policy = Policy(plain_http=(".localdomain", ".localhost"))
    async with a_receiver() as receiver, a_sender(policy) as sender:
        answered = await sender.send(a_delivery(at(receiver.url, "anything.localhost")))
    assert answered.answer in (Answer.FORBIDDEN, Answer.ERROR)
    assert receiver.got == []


async def test_no_socket_is_made_for_a_denied_address_whatever_way_it_came() -> None:
    """aiohttp asks no resolver about addresses that are written as such."""
    async with a_receiver() as receiver:
        connector = aiohttp.TCPConnector(socket_factory=socket_maker(Policy()))
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as failure:
                await session.post(receiver.url)
    assert isinstance(failure.value.os_error, DeniedAddress)
    assert receiver.got == []


async def test_the_certificate_is_asked_for_the_name_and_checked_against_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue_server("hooks", ["127.0.0.9"], ["hooks.test"])
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "hooks.crt", tmp_path / "hooks.key")
    indicated: list[str | None] = []
    served.sni_callback = lambda connection, name, context: indicated.append(name)
    trust = ssl.create_default_context(cafile=authority.certificate)
    lookup = Names(["127.0.0.1"]).lookup
    async with a_receiver(served) as receiver:
        async with a_sender(lookup=lookup, trust=trust) as sender:
            named = await sender.send(a_delivery(at(receiver.url, "hooks.test")))
            other = await sender.send(a_delivery(at(receiver.url, "other.test")))
        async with a_sender(lookup=lookup) as sender:
            unknown = await sender.send(a_delivery(at(receiver.url, "hooks.test")))
    assert named.answer is Answer.ACCEPTED
    assert indicated == ["hooks.test", "other.test", "hooks.test"]
    assert other.answer is unknown.answer is Answer.ERROR
    assert "certificate is not accepted (Hostname mismatch" in other.sentence
    assert "certificate is not accepted (unable to get local issuer certificate)" in unknown.sentence
    assert len(receiver.got) == 1


async def test_through_a_proxy_names_are_the_proxys_to_resolve() -> None:
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.StreamResponse:
        asked.append(request.raw_path)
        return web.Response(status=202)

    async def lookup(host: str, port: int) -> list[str]:
        raise AssertionError("nothing is looked up here")

    async with a_receiver(answer=proxy) as receiver:
        address = receiver.url.removesuffix("/hook")
        async with a_sender(proxy=address, lookup=lookup) as sender:
            answered = await sender.send(a_delivery("http://hooks.test/x"))
            denied = await sender.send(a_delivery("https://169.254.169.254/x"))
    assert (answered.answer, answered.status) == (Answer.ACCEPTED, 202)
    assert denied.answer is Answer.FORBIDDEN
    assert asked == ["http://hooks.test/x"]


async def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with a_receiver() as receiver, a_sender() as sender:
        answered = await sender.send(a_delivery(receiver.url))
    assert answered.answer is Answer.ACCEPTED


def test_the_settings_of_these_tests_are_an_administrators() -> None:
    assert LOOPBACK.allowed == networks(("127.0.0.1",))
    assert not LOOPBACK.is_open
