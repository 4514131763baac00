"""One attempt over a real socket, with receivers that behave and receivers that do not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from headway_operator.hooks.endpoints import Endpoints
from headway_operator.hooks.sender import AT_ONCE_OF_A_NAMESPACE
from headway_operator.hooks.setup import make_local_sender
from headway_operator.planner.deliveries import Answer
from support.receivers import a_delivery, a_receiver, a_sender, now, raw


def answering(status: int, **headers: str):
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, Answer.ACCEPTED),
        (204, Answer.ACCEPTED),
        (302, Answer.ERROR),
        (400, Answer.REFUSED),
        (403, Answer.NOT_YET),
        (404, Answer.REFUSED),
        (410, Answer.GONE),
        (429, Answer.TRY_LATER),
        (500, Answer.ERROR),
        (503, Answer.TRY_LATER),
    ],
)
async def test_each_status_has_one_meaning_and_is_named(status: int, answer: Answer) -> None:
    async with a_receiver(answer=answering(status)) as receiver, a_sender() as sender:
        answered = await sender.send(a_delivery(receiver.url))
    assert (answered.answer, answered.status) == (answer, status)
    assert str(status) in answered.sentence


async def test_a_redirect_is_not_followed() -> None:
    async with (
        a_receiver() as other,
        a_receiver(answer=answering(307, Location=other.url)) as receiver,
        a_sender() as sender,
    ):
        answered = await sender.send(a_delivery(receiver.url))
    assert answered.answer is Answer.ERROR
    assert other.got == []


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("7", 7), ("Mon, 23 Nov 2026 08:00:30 GMT", 30), ("86400", 3600), ("soon", None)],
)
async def test_a_wish_to_wait_is_told_by_the_receivers_own_clock(asked: str, seconds: float | None) -> None:
    clock = "Mon, 23 Nov 2026 08:00:00 GMT"
    async with (
        a_receiver(answer=answering(429, Retry_After=asked, Date=clock)) as receiver,
        a_sender(now=lambda: datetime(2031, 1, 1, tzinfo=UTC)) as sender,
    ):
        answered = await sender.send(a_delivery(receiver.url))
    assert answered.retry_after_seconds == seconds


async def test_garbage_after_200_is_an_acceptance() -> None:
    async def garbage(writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Type: application/json\r\n\r\n\x00\xff{[<gz"
        )
        await writer.drain()

    async with raw(garbage) as url, a_sender() as sender:
        answered = await sender.send(a_delivery(url))
    assert answered.answer is Answer.ACCEPTED


async def test_of_ten_megabytes_hardly_anything_is_read() -> None:
    written = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x" * 10_000)
            await writer.drain()
            written += 10_000

    async with raw(flood) as url, a_sender() as sender:
        answered = await sender.send(a_delivery(url))
    assert answered.answer is Answer.ACCEPTED
    assert written < 10_000_000


async def test_a_head_that_comes_byte_by_byte_ends_in_time() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.2)

    async with raw(drip) as url, a_sender() as sender:
        answered = await sender.send(a_delivery(url, timeout_seconds=1))
    assert answered.answer is Answer.ERROR
    assert "within 1 s" in answered.sentence


async def test_a_body_that_comes_byte_by_byte_does_not_take_the_answer_back() -> None:
    written = 0

    async def drip(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await writer.drain()
            written += 1
            await asyncio.sleep(0.2)

    async with raw(drip) as url, a_sender() as sender:
        answered = await sender.send(a_delivery(url, timeout_seconds=30))
    assert answered.answer is Answer.ACCEPTED
    assert written < 100  # what the drip makes in 20 s: nobody waits for it as long as for an answer


async def test_a_connection_that_is_closed_without_a_word_is_an_error() -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with raw(hang_up) as url, a_sender() as sender:
        answered = await sender.send(a_delivery(url))
    assert answered.answer is Answer.ERROR
    assert "without an answer" in answered.sentence


async def test_what_is_no_http_is_an_error() -> None:
    async def speak_otherwise(writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n" * 3)
        await writer.drain()

    async with raw(speak_otherwise) as url, a_sender() as sender:
        answered = await sender.send(a_delivery(url))
    assert answered.answer is Answer.ERROR
    assert "not HTTP" in answered.sentence


async def test_a_closed_port_is_told() -> None:
    async with a_sender() as sender:
        answered = await sender.send(a_delivery("http://127.0.0.1:1024/x"))
    assert answered.answer is Answer.ERROR
    assert answered.sentence == "127.0.0.1: no connection came about (Connection refused)"


async def test_a_team_whose_receivers_hang_keeps_no_other_team_waiting() -> None:
    released, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def hang(request: web.Request) -> web.StreamResponse:
        if "team-a" in request.headers["ce-source"]:
            arrived.release()
            await released.wait()
        return web.Response()

    async with a_receiver(answer=hang) as receiver, a_sender() as sender:
        sending = [asyncio.create_task(sender.send(a_delivery(receiver.url))) for _ in range(40)]
        for _ in range(AT_ONCE_OF_A_NAMESPACE):
            await arrived.acquire()
        source = "/apis/headway.dev/v1alpha1/namespaces/team-b/databasemigrations/shop"
        other = await sender.send(a_delivery(receiver.url, source=source))
        assert other.answer is Answer.ACCEPTED
        assert len(receiver.got) == AT_ONCE_OF_A_NAMESPACE + 1
        released.set()
        answers = {one.answer for one in await asyncio.gather(*sending)}
    assert answers == {Answer.ACCEPTED}
    assert len(receiver.got) == 41


async def test_waiting_for_a_turn_is_no_time_of_the_receivers() -> None:
    released, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def hang(request: web.Request) -> web.StreamResponse:
        arrived.release()
        await released.wait()
        return web.Response()

    async with a_receiver(answer=hang) as receiver, a_sender() as sender:
        first = [
            asyncio.create_task(sender.send(a_delivery(receiver.url, timeout_seconds=30)))
            for _ in range(AT_ONCE_OF_A_NAMESPACE)
        ]
        for _ in first:
            await arrived.acquire()
        last = asyncio.create_task(sender.send(a_delivery(receiver.url, timeout_seconds=2)))
        await asyncio.wait((last,), timeout=2.2)
        released.set()
        assert (await last).answer is Answer.ACCEPTED
        await asyncio.gather(*first)


async def test_no_cookie_of_one_receiver_comes_back() -> None:
    async with (
        a_receiver(answer=answering(200, Set_Cookie="session=1; Domain=127.0.0.1")) as receiver,
        a_sender() as sender,
    ):
        for _ in range(2):
            await sender.send(a_delivery(receiver.url))
    assert "Cookie" not in receiver.got[1].headers


async def test_every_attempt_has_a_connection_of_its_own() -> None:
    """A kept one that was closed meanwhile would fail a Check that is tried but once."""
    ports = []

    async def note(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.Response()

    async with a_receiver(answer=note) as receiver, a_sender() as sender:
        for _ in range(3):
            await sender.send(a_delivery(receiver.url))
    assert len(set(ports)) == 3


async def test_an_endpoint_that_nobody_has_set_up_is_forbidden_and_named() -> None:
    async with a_sender() as sender:
        answered = await sender.send(a_delivery(endpoint="pager"))
    assert answered.answer is Answer.FORBIDDEN
    assert answered.sentence == (
        "endpoint pager: the cluster's administrator has set up no endpoint of this name"
    )


async def test_an_endpoint_is_for_the_namespaces_that_the_administrator_names(tmp_path: Path) -> None:
    async with a_receiver() as receiver:
        file = tmp_path / "endpoints.yaml"
        file.write_text(f"endpoints: [{{name: chat, url: '{receiver.url}', namespaces: [team-b]}}]")
        async with a_sender(endpoints=Endpoints(str(file))) as sender:
            answered = await sender.send(a_delivery(endpoint="chat"))
    assert answered.answer is Answer.FORBIDDEN
    assert answered.sentence == "endpoint chat: the namespace team-a may not use it"
    assert receiver.got == []


async def test_on_a_persons_own_machine_loopback_may_be_called() -> None:
    sender = make_local_sender(now)
    try:
        async with a_receiver() as receiver:
            answered = await sender.send(a_delivery(receiver.url.replace("127.0.0.1", "localhost")))
    finally:
        await sender.close()
    assert answered.answer is Answer.ACCEPTED


async def test_a_sender_that_is_closed_breaks_off_what_is_under_way() -> None:
    arrived = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await asyncio.Event().wait()
        return web.Response()

    async with a_receiver(answer=hang) as receiver:
        async with a_sender() as sender:
            sending = asyncio.create_task(sender.send(a_delivery(receiver.url, timeout_seconds=30)))
            await arrived.wait()
        assert (await sending).answer is Answer.ERROR
