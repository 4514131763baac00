"""The small decisions: which statement builds which index, how long to wait, what a target means."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_contract.events import Heartbeat
from headway_contract.planned import is_relative
from headway_contract.request import DatabaseRequest, Mode, RunRequest, WhenAhead
from headway_contract.result import Failure
from headway_contract.wire import from_line
from headway_runner.connections.session_settings import guards_against_a_lost_client, session_values
from headway_runner.locks.lock import held
from headway_runner.looks.inspection import Inspector
from headway_runner.modes.attempts import LONGEST_PAUSE_SECONDS, is_worth_another_pass, pause_before
from headway_runner.modes.plan import judge
from headway_runner.processes.pipes import Receiver, Sender
from headway_runner.processes.streams import EventStream
from headway_runner.processes.task import Application, Inspection, Task
from headway_runner.project.history import is_symbolic
from headway_runner.statements.transactions import beginning
from headway_runner.words.run_failed import RunFailed


@pytest.mark.parametrize(
    ("target", "relative", "symbolic"),
    [
        ("heads", False, True), ("head", False, True), ("shop@head", False, True), ("ae1027a6acf", False, False),
        ("+1", True, False), ("shop@+2", True, False), ("ae10+1", True, False), ("-1", True, False),
        ("2026-11-23", True, False),
    ],
)  # fmt: skip
def test_targets_are_told_apart(target, relative, symbolic):
    assert (is_relative(target), is_symbolic(target)) == (relative, symbolic)


@given(st.integers(2, 1000), st.floats(0, 1))
def test_pauses_grow_to_a_limit_and_half_of_them_is_chance(attempt, chance):
    assert 0.5 <= pause_before(attempt, chance) <= LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize("state", ["55P03", "40P01", "40001"])
def test_only_a_lock_that_could_not_be_had_is_worth_another_pass(state):
    failure = Failure("LockTimeout", "", "r1", state)
    assert is_worth_another_pass(Application(failure=failure))
    assert is_worth_another_pass(Application(seen=failure))
    assert not is_worth_another_pass(Application(failure=failure, kept=("ALTER TABLE users",)))
    assert not is_worth_another_pass(Application(failure=Failure("RevisionFailed", "", "r1", "42P01")))
    assert not is_worth_another_pass(Application())


class FakeLock:
    def __init__(self, free_after):
        self.tries = 0
        self.free_after = free_after
        self.released = False

    def try_to_take(self):
        self.tries += 1
        return self.tries > self.free_after

    def release(self, failed=False):
        self.released = True
        self.failed = failed

    def holder(self):
        return "session 4711"


class FakeTime:
    def __init__(self):
        self.now = 0.0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def hold(lock, give_up_seconds, waiting=lambda seconds: True):
    time = FakeTime()
    return held(lock, give_up_seconds, waiting, time.clock, time.sleep)


def test_a_lock_is_polled_until_it_is_free_and_given_back():
    lock = FakeLock(free_after=3)
    with hold(lock, 60) as is_held:
        assert is_held
    assert (lock.tries, lock.released) == (4, True)


class LostLock(FakeLock):
    def release(self, failed=False):
        raise ConnectionError("the session is gone")


def test_a_lock_is_given_back_also_when_the_work_failed_because_env_py_may_go_on():
    lock = FakeLock(free_after=0)
    with pytest.raises(ValueError, match="the work"), hold(lock, 60):
        raise ValueError("the work")
    assert (lock.released, lock.failed) == (True, True)


def test_a_lock_that_cannot_be_given_back_does_not_hide_what_failed():
    with pytest.raises(ValueError, match="the work"), hold(LostLock(free_after=0), 60):
        raise ValueError("the work")


def test_a_session_that_is_interrupted_is_not_asked_for_its_lock():
    lock = FakeLock(free_after=0)
    with pytest.raises(KeyboardInterrupt), hold(lock, 60):
        raise KeyboardInterrupt
    assert not lock.released


def test_a_lock_that_is_never_free_is_given_up():
    with pytest.raises(RunFailed) as failed, hold(FakeLock(free_after=999), 5):
        pass
    assert failed.value.failure.name == "LockHeld"
    assert failed.value.failure.message == "Another run held it for 5 s. It is held by session 4711."


def test_waiting_for_a_lock_ends_when_asked_to_stop():
    lock = FakeLock(free_after=999)
    with hold(lock, 60, waiting=lambda seconds: seconds < 1) as is_held:
        assert not is_held
    assert not lock.released


REQUEST = RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("main"),))


def test_a_session_waits_only_shortly_for_locks_and_a_look_writes_nothing():
    assert dict(session_values(REQUEST, False)) == {"lock_timeout": "2s"}
    assert dict(session_values(REQUEST, True)) == {
        "lock_timeout": "2s",
        "default_transaction_read_only": "on",
    }


def test_a_server_is_asked_only_for_the_guards_that_its_version_has():
    keepalives = {"tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"}
    assert set(dict(guards_against_a_lost_client(110000))) == keepalives
    assert set(dict(guards_against_a_lost_client(130000))) == {*keepalives, "tcp_user_timeout"}
    assert dict(guards_against_a_lost_client(140000))["client_connection_check_interval"] == "2s"


@pytest.mark.parametrize(
    ("wish", "unknown", "past", "name"),
    [
        (WhenAhead.ACCEPT, ("x",), False, None),
        (WhenAhead.ACCEPT, (), True, None),
        (WhenAhead.FAIL, ("x",), False, "DatabaseAhead"),
        (WhenAhead.FAIL, (), True, "DatabaseAhead"),
        (WhenAhead.DOWNGRADE, ("x",), False, "CannotDowngrade"),
        (WhenAhead.DOWNGRADE, (), False, None),
    ],
)
def test_a_database_that_is_ahead_is_judged_as_wished(wish, unknown, past, name):
    request = RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("main"),), when_ahead=wish)
    task = Task(request, request.databases[0], "r1")
    judged = judge(task, Inspection(current=("x",), unknown=unknown, past_target=past))
    assert (judged.failure.name if judged.failure else None) == name
    assert bool(judged.notices) == (wish is WhenAhead.ACCEPT)


def test_values_arrive_whole_and_in_order_however_large():
    import os
    import threading

    reading, writing = os.pipe()
    values = [(number, "x" * (number * 15_000)) for number in range(8)]
    sender = threading.Thread(
        target=lambda: [Sender(writing).send(value) for value in values] and os.close(writing)
    )
    sender.start()
    receiver, arrived = Receiver(reading), []
    while not receiver.at_end:
        arrived += receiver.receive(5)
    sender.join()
    receiver.close()
    assert arrived == values


def test_events_are_numbered_and_a_reader_that_left_stops_nothing():
    import os

    reading, writing = os.pipe()
    stream = EventStream(writing, lambda: "now")
    stream.write(Heartbeat(), Heartbeat())
    lines = os.read(reading, 4096).decode().splitlines()
    assert [from_line(line).sequence for line in lines] == [1, 2]
    os.close(reading)
    stream.write(Heartbeat())
    stream.close()


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("ALTER TABLE users\n  ADD COLUMN x int", "ALTER TABLE users ADD COLUMN x int"),
        ("ALTER TABLE users ALTER COLUMN x SET NOT NULL", "ALTER TABLE users ALTER COLUMN x SET NOT NULL"),
        ("ALTER TABLE t ADD CHECK (a > 42)", "ALTER TABLE t ADD CHECK (a"),
        ("INSERT INTO t SELECT 4111111111111111", "INSERT INTO t"),
        ("INSERT INTO t VALUES ('secret')", "INSERT INTO t"),
        ("UPDATE t SET (a,b) = (1,2)", "UPDATE t"),
        ('UPDATE t SET "a" = 12345', "UPDATE t"),
        ("UPDATE t SET s.a = 5", "UPDATE t"),
        ("SELECT fill('secret')", "SELECT"),
        ("CREATE TABLE table2 (id int)", "CREATE TABLE table2 (id int)"),
    ],
)
def test_a_statement_is_told_without_any_value_in_it(statement, shown):
    assert beginning(statement) == shown


def test_a_look_that_saw_no_context_is_a_failure_even_when_nothing_was_raised():
    request = RunRequest(Mode.PLAN, "r", (DatabaseRequest("main"),))
    looked = Inspector(cast(Any, None), Task(request, request.databases[0], "heads"))
    failure = looked.report(None).failure
    assert failure is not None
    assert failure.name == "NeverConfigured"
