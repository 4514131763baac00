"""Between two passes: a wish to stop ends the pause, and no further pass is begun."""

from __future__ import annotations

import os

import pytest

from headway_contract.control import Control
from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_contract.result import Failure
from headway_runner.modes.attempts import run_until_unlocked
from headway_runner.processes.streams import EventStream
from headway_runner.processes.supervisor import Supervisor
from headway_runner.processes.task import Application, Task

DATABASE = DatabaseRequest("main")
BUSY = Application(unfinished="a1", failure=Failure("LockTimeout", "lock timeout", "a1", "55P03"))


@pytest.fixture
def supervisor(tmp_path):
    """One that finds a lock busy in each pass, and is asked to stop after the first."""
    control = tmp_path / "control"
    control.write_text("")

    class Busy(Supervisor):
        passes = 0

        def run(self, phase, task, killable=False):
            self.passes += 1
            control.write_text(Control(sequence=1, stop=True, reason="enough").to_json())
            return BUSY

    nowhere = EventStream(os.open(os.devnull, os.O_WRONLY))
    return Busy(RunRequest(Mode.MIGRATE, "r", (DATABASE,), control_file=str(control)), nowhere)


def test_no_pass_is_begun_after_a_wish_to_stop_that_came_in_the_pause(supervisor):
    task = Task(supervisor._request, DATABASE, "heads")
    run = run_until_unlocked(supervisor, task, lambda one: supervisor.run(None, one))
    assert supervisor.passes == 1
    assert run.failure == BUSY.failure


def test_a_pause_ends_when_the_run_is_asked_to_stop(supervisor):
    supervisor.run(None, None)
    assert not supervisor.pause(seconds=600)
