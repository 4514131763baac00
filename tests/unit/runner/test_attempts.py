"""How long a run is tried again for the sake of locks: what is limited is the waiting, not the work."""

from __future__ import annotations

from typing import Any

import pytest

from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_contract.result import Failure
from headway_runner.modes.attempts import LONGEST_PAUSE_SECONDS, run_until_unlocked
from headway_runner.processes.task import Application, Task

LOCK_TIMEOUT = 2
GIVE_UP = 100


class Run:
    """A clock, the passes that move it on, and who supervises them."""

    stopping = None

    def __init__(self, *passes: tuple[float, Application]) -> None:
        self.passes = list(passes)
        self.now = 1000.0
        self.paused: list[float] = []

    def emit(self, *events: object) -> None:
        pass

    def pause(self, seconds: float) -> bool:
        self.paused.append(seconds)
        self.now += seconds
        return True

    def one(self, task: Task) -> Application:
        seconds, found = self.passes.pop(0) if len(self.passes) > 1 else self.passes[0]
        self.now += seconds
        return found

    def go(self, give_up: int = GIVE_UP) -> Application:
        request = RunRequest(
            Mode.MIGRATE,
            "r",
            (DatabaseRequest("main"),),
            lock_timeout_seconds=LOCK_TIMEOUT,
            lock_give_up_seconds=give_up,
        )
        supervisor: Any = self
        return run_until_unlocked(
            supervisor, Task(request, request.databases[0], "heads"), self.one, clock=lambda: self.now
        )


def busy(*applied: str) -> Application:
    return Application(applied=applied, failure=Failure("LockTimeout", "Busy.", "r9", "55P03"))


def done(*applied: str) -> Application:
    return Application(applied=applied)


def test_a_lock_that_is_busy_after_long_work_is_tried_again():
    run = Run((2400, busy("r1")), (1, done("r2")))
    found = run.go()
    assert (found.failure, found.applied, len(run.paused)) == (None, ("r1", "r2"), 1)


def test_what_a_later_pass_applies_gives_the_next_lock_its_full_time():
    run = Run((3, busy()), (2400, busy("r1")), (2400, busy("r2")), (1, done("r3")))
    found = run.go()
    assert (found.failure, found.applied) == (None, ("r1", "r2", "r3"))
    assert max(run.paused) <= 2


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_a_lock_that_stays_busy_is_given_up_in_time(chance, monkeypatch):
    monkeypatch.setattr("headway_runner.modes.attempts.random.random", lambda: chance)
    run = Run((2400, busy("r1")), (LOCK_TIMEOUT, busy()))
    found = run.go()
    waited = run.now - 1000 - 2400 + LOCK_TIMEOUT
    # The last pass began in time, and then waited for the lock as long as a statement may.
    assert GIVE_UP - LONGEST_PAUSE_SECONDS < waited <= GIVE_UP + LOCK_TIMEOUT
    assert found.failure is not None
    assert found.failure.message == f"Busy. Given up after {len(run.paused) + 1} attempts in {waited:.0f} s."


def test_what_is_undone_with_its_transaction_each_time_is_no_progress():
    found = Run((50, busy("r1"))).go()
    assert found.failure is not None
    assert "Given up after 3 attempts in" in found.failure.message


@pytest.mark.parametrize("seconds", [LOCK_TIMEOUT, 2400])
def test_the_wait_of_the_statement_itself_counts(seconds):
    run = Run((seconds, busy()))
    found = run.go(give_up=LOCK_TIMEOUT)
    assert found.failure is not None
    assert found.failure.message == f"Busy. Given up after 1 attempt in {LOCK_TIMEOUT} s."
    assert not run.paused
