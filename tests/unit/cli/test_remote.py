"""A command to a cluster whose API server is away for a moment: what is known of it is said, and no more."""

from __future__ import annotations

import argparse
from contextlib import asynccontextmanager

import pytest

from headway_cli import remote
from headway_cli.commands import Command
from headway_cli.remote import NoAnswer, Remote, Unsure
from headway_cli.seen import wait
from headway_operator.cluster.interface import Forbidden, NotFound, Unavailable

AWAY = Unavailable("HTTP 503: being updated")
READY = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "at head"}


def resource(*conditions):
    return {
        "metadata": {"name": "shop", "namespace": "shop", "uid": "u", "generation": 1},
        "spec": {"databases": [{"name": "main"}]},
        "status": {"observedGeneration": 1, "phase": "Succeeded", "conditions": list(conditions)},
    }


class Server:
    """Gives these answers in turn, the last one again and again; errors are raised."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def json(self, method, path, *_):
        self.asked.append(method)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(remote, "LOOK_SECONDS", 0)
    monkeypatch.setattr(wait, "LOOK_SECONDS", 0)


def command():
    return Command({}, lambda status: status.condition("Ready") is not None, lambda migration: "done")


async def test_an_api_server_that_is_away_is_asked_again_for_the_answer():
    server = Server(AWAY, AWAY, resource(), resource(READY))
    answered = await Remote(server, "shop", "shop").answer(command(), 60)
    assert answered.status.condition("Ready").message == "at head"
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "error", [AWAY, NotFound("HTTP 404"), Forbidden("HTTP 403")], ids=lambda one: type(one).__name__
)
async def test_a_command_that_is_written_is_not_said_to_be_none_when_its_answer_cannot_be_read(error):
    with pytest.raises(NoAnswer, match=str(error)):
        await Remote(Server(error), "shop", "shop").answer(command(), 0)


async def test_a_write_of_which_the_server_said_nothing_is_neither_done_nor_left_undone():
    with pytest.raises(Unsure, match="being updated"):
        await Remote(Server(AWAY), "shop", "shop").annotate({"headway.dev/abort": "now"})


async def test_a_write_that_is_refused_is_not_written():
    with pytest.raises(Forbidden):
        await Remote(Server(Forbidden("HTTP 403")), "shop", "shop").annotate({"headway.dev/abort": "now"})


async def test_waiting_goes_on_through_an_api_server_that_is_away(monkeypatch, capsys):
    @asynccontextmanager
    async def reading(options, what):
        yield Server(resource(), AWAY, AWAY, resource(READY)), "shop"

    monkeypatch.setattr(wait, "reading", reading)
    options = argparse.Namespace(name="shop", timeout=60, kind="Ready")
    assert await wait.wait(options) == 0
    assert capsys.readouterr().err.count("being updated") == 1
