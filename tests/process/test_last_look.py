"""What comes last after a stop may have the rest of the grace period; everything before it must leave some of it."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from headway_contract.request import Mode, RunRequest
from headway_runner.connections.identity import Identity
from headway_runner.processes.streams import EventStream
from headway_runner.processes.supervisor import Died, Supervisor
from headway_runner.processes.task import Inspection, Task
from support.runner import database_request

GRACE_SECONDS = 60


class FastClock:
    """Half a second for each look at it, up to the last seconds of the grace period."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        self.seconds = min(self.seconds + 0.5, GRACE_SECONDS - 5.0)
        return self.seconds


@pytest.fixture
def asked_to_end(tmp_path):
    """A supervisor whose process was asked twice to end: now."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    descriptor = os.open(tmp_path / "events", os.O_WRONLY | os.O_CREAT)
    request = RunRequest(Mode.MIGRATE, "run", (database_request(),), grace_seconds=GRACE_SECONDS)
    supervisor = Supervisor(request, EventStream(descriptor), FastClock())
    supervisor.listen()
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    yield supervisor
    os.close(descriptor)
    for number, handler in before.items():
        signal.signal(number, handler)


def slow(link, task):
    """Longer than the fast clock takes to its last seconds."""
    threading.Event().wait(3)
    return Inspection(identity=Identity("shop"))


def task():
    database = database_request()
    return Task(RunRequest(Mode.MIGRATE, "run", (database,)), database, "heads")


def test_the_last_look_is_waited_for(asked_to_end):
    assert asked_to_end.run(slow, task(), last=True) == Inspection(identity=Identity("shop"))


def test_a_run_that_does_not_end_when_it_is_cancelled_is_killed_before(asked_to_end):
    assert isinstance(asked_to_end.run(slow, task()), Died)
