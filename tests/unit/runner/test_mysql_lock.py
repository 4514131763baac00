"""When a session that holds MySQL's lock counts as lost: only one that had a second session, and no longer has it."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, event
from sqlalchemy.pool import StaticPool

from headway_runner.locks import mysql_lock
from headway_runner.locks.mysql_lock import SILENT_SECONDS, Holders, MySqlLock, SignOfLife, Suspicion

LOST = Holders(7, 7, None)


@pytest.mark.parametrize(
    "holders",
    [
        Holders(7, 7, 8),  # It gives signs of life.
        Holders(
            7, None, None
        ),  # It never gave one: an older runner, or one that could open no second session.
        Holders(7, 9, None),  # What is left is another one's.
        Holders(None, None, None),
    ],
)
def test_a_holder_that_may_be_alive_is_never_ended(holders):
    suspicion = Suspicion()
    assert [suspicion.looked(holders, float(now)) for now in range(0, 300, 10)] == [None] * 30


def test_a_lost_holder_is_ended_once_it_has_been_silent_for_long_enough():
    suspicion = Suspicion()
    seen = [suspicion.looked(LOST, float(now)) for now in range(SILENT_SECONDS + 2)]
    assert seen == [None] * SILENT_SECONDS + [7, None]


def test_a_sign_of_life_in_between_or_another_holder_starts_the_time_anew():
    for other in (Holders(7, 7, 8), Holders(9, 9, None)):
        suspicion = Suspicion()
        suspicion.looked(LOST, 0.0)
        suspicion.looked(other, SILENT_SECONDS - 1.0)
        assert suspicion.looked(LOST, SILENT_SECONDS + 1.0) is None


@given(st.lists(st.tuples(st.sampled_from([LOST, Holders(7, 7, 8), Holders(9, 9, None)]), st.floats(0, 20))))
def test_nobody_is_ended_who_has_not_been_seen_lost_for_all_that_time(looks):
    suspicion, now, since = Suspicion(), 0.0, {}
    for holders, seconds in looks:
        now += seconds
        since = {holders.lost: since.get(holders.lost, now)} if holders.lost else {}
        ended = suspicion.looked(holders, now)
        assert ended is None or now - since[ended] >= SILENT_SECONDS


class Session:
    """One that notes what it is asked."""

    def __init__(self, asked, free=1):
        self.asked, self.free, self.closed = asked, free, threading.Event()

    def ask(self, statement):
        self.asked.append(statement)
        return [(self.free,)]

    def close(self):
        self.closed.set()


def test_the_second_session_is_short_lived_on_the_server_and_ends_with_the_lock():
    asked = []
    session = Session(asked)
    sign = SignOfLife(None, "it", lambda engine: session)
    assert sign.has_begun()
    assert asked == ["SET SESSION wait_timeout = 45", "SELECT GET_LOCK('it', 0)"]
    sign.end()
    assert session.closed.wait(10)


def test_without_a_second_session_no_sign_is_promised():
    def refuse(engine):
        raise ConnectionRefusedError

    for open_session in (refuse, lambda engine: Session([], free=0)):
        sign = SignOfLife(None, "it", open_session)
        assert not sign.has_begun()
        sign.end()


@pytest.fixture
def asked():
    return []


@pytest.fixture
def engine(asked):
    """A server that knows MySQL's functions, and is too old for a second session."""
    engine = server(asked)
    yield engine
    engine.dispose()


def server(asked):
    """Its first session has the number that each other server's first one has."""

    def told(name, found):
        return lambda *values: asked.append(name) or found

    def connected(adapter, _):
        adapter.create_function("database", 0, lambda: "shop")
        adapter.create_function("get_lock", 2, told("take", 1))
        adapter.create_function("is_used_lock", 1, lambda name: 7)
        adapter.create_function("release_lock", 1, told("give back", 1))

    engine = create_engine("sqlite://", poolclass=StaticPool)
    event.listen(engine, "connect", connected)
    return engine


def test_a_transaction_of_env_py_keeps_the_lock_until_it_is_committed(engine, asked):
    event.listen(engine, "commit", lambda connection: asked.append("commit"))
    with engine.begin() as connection:
        lock = MySqlLock(connection, 1)
        assert lock.try_to_take()
        lock.release()
    assert asked == ["take", "commit", "give back"]


def test_without_a_transaction_the_lock_is_given_back_at_once(engine, asked):
    with engine.connect() as connection:
        lock = MySqlLock(connection, 1)
        assert lock.try_to_take()
        lock.release()
        assert asked == ["take", "give back"]
    assert asked == ["take", "give back"]


@pytest.fixture
def signs(monkeypatch, asked):
    """A server that is new enough for a second session, and what that tells."""

    class Sign:
        def __init__(self, engine, name):
            asked.append(f"begin {name}")

        def has_begun(self):
            return True

        def end(self):
            asked.append("end")

    monkeypatch.setattr(mysql_lock, "_signs", {})
    monkeypatch.setattr(mysql_lock, "FIRST_WITH_SEVERAL_LOCKS", (0,))
    monkeypatch.setattr(mysql_lock, "SignOfLife", Sign)


def test_a_session_that_keeps_many_locks_has_one_second_session(engine, asked, signs):
    """Of an env.py that goes from tenant to tenant in one transaction each lock is kept."""
    with engine.begin() as connection:
        for key in range(3):
            lock = MySqlLock(connection, key)
            assert lock.try_to_take()
            lock.release()
        assert asked == ["take", "begin headway_7_alive", *["take"] * 3]
        asked.clear()
    assert asked == ["give back"] * 2 + ["end"] + ["give back"] * 2
    with engine.connect() as connection:
        assert MySqlLock(connection, 4).try_to_take()
    assert asked[-3:] == ["take", "begin headway_7_alive", "take"]


def test_sessions_of_two_servers_with_the_same_number_have_each_a_second_one(engine, asked, signs):
    other = server(asked)
    with engine.connect() as connection, other.connect() as to_the_other:
        locks = [MySqlLock(connection, 1), MySqlLock(to_the_other, 1)]
        for lock in locks:
            assert lock.try_to_take()
        assert asked == ["take", "begin headway_7_alive", "take"] * 2
        asked.clear()
        for lock in locks:
            lock.release()
    assert asked == ["end", "give back", "give back"] * 2
    other.dispose()


def test_the_sign_of_life_ends_also_when_the_session_is_broken(engine, asked, signs):
    with engine.connect() as connection:
        lock = MySqlLock(connection, 1)
        assert lock.try_to_take()
        connection.connection.dbapi_connection.create_function("release_lock", 1, None)
        with pytest.raises(sqlite3.OperationalError):
            lock.release(failed=True)
    assert asked[-1] == "end"
