"""What slows a backfill down on MariaDB and MySQL: a busy server, waiting sessions, queries; no replica is known."""

import threading

import pytest
from sqlalchemy import create_engine, text

from headway.throttle.limits import Limits
from headway.throttle.own import OwnWork, session_number
from headway.throttle.signals import busy as signals_busy
from headway.throttle.signals.query import Query
from headway.throttle.watch import watch
from headway.wishes import Wishes
from support.waiting import wait_until

TAKES_TOO_LONG = {"mariadb": "max_statement_time", "mysql": "maximum statement execution time"}


@pytest.fixture
def engine(mysql_url):
    found = create_engine(mysql_url)
    yield found
    found.dispose()


@pytest.fixture
def watching(engine):
    opened = []

    def begin(wishes=Wishes, own=None, notice=print, **more):
        opened.append(watch(engine, "users", wishes, own or OwnWork(), notice=notice, **more))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def busy(engine, started: list[int], until: threading.Event) -> None:
    """A session that runs one statement after the other."""
    with engine.connect() as connection:
        started.append(session_number(connection))
        while not until.is_set():
            connection.execute(text("SELECT SLEEP(0.2)"))


def test_other_sessions_at_work_hold_and_our_own_do_not_count(engine, watching, monkeypatch):
    # What is usual is learnt from the first look alone, at which nobody works.
    monkeypatch.setattr(signals_busy, "LEARNING_SECONDS", 0.0)
    own, until, numbers = OwnWork(), threading.Event(), []
    throttle = watching(own=own, limits=Limits(active_sessions=3))
    workers = [threading.Thread(target=busy, args=(engine, numbers, until)) for _ in range(4)]
    try:
        for worker in workers:
            worker.start()
        wait_until(lambda: "other sessions work at the same time (limit 3)" in throttle.verdict().hold)
        for number in numbers:
            own.joins(number)
        wait_until(lambda: not throttle.verdict().hold)
    finally:
        until.set()
        for worker in workers:
            worker.join()


def test_a_query_holds_while_it_gives_more_than_0_and_cannot_write(engine, watching, mysql_kind):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE jobs (name varchar(20))"))
    queries = [
        Query("writer", "INSERT INTO jobs VALUES ('x')"),
        Query("jobs", "SELECT count(*) FROM jobs WHERE name LIKE 'job%' AND name <> ':x'"),
        Query(
            "worker",
            f"SELECT count(*) FROM {', '.join(f'information_schema.collations {one}' for one in 'abcd')}",
        ),
    ]
    throttle = watching(queries=queries)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO jobs VALUES ('job 1'), ('job 2')"))
    words = ("READ ONLY", "jobs is 2 (goes on at 0)", TAKES_TOO_LONG[mysql_kind])

    def each_holds() -> bool:
        sentences = throttle.verdict().hold.split("; ")
        return len(sentences) == 3 and all(map(str.__contains__, sentences, words))

    wait_until(each_holds, what="what each of the three says")


def test_a_named_lag_holds_and_says_what_to_do_instead(watching):
    hold = watching(lambda: Wishes(is_named_lag=True)).verdict().hold
    assert hold.startswith("replica lag cannot be read: this server does not show it on the primary")


def test_a_lag_that_nobody_named_is_not_missed(watching):
    told: list[str] = []
    throttle = watching(notice=told.append)
    first = throttle._seen["active sessions"].read_at
    wait_until(lambda: throttle._seen["active sessions"].read_at > first)
    assert (throttle.verdict().hold, told) == ("", [])


def test_a_session_that_waits_for_a_row_of_ours_holds_and_of_others_does_not(engine, watching):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (id int PRIMARY KEY, n int) ENGINE=InnoDB"))
        connection.execute(text("INSERT INTO users VALUES (1, 0)"))
    own = OwnWork()
    throttle = watching(own=own)
    holder = engine.connect()
    number = session_number(holder)
    holder.execute(text("UPDATE users SET n = 1"))
    waiter = threading.Thread(target=wait_for_the_row, args=(engine,))
    waiter.start()
    try:
        wait_until(lambda: len(throttle._blocking._since) == 1, what="the waiter to be seen")
        assert throttle.verdict().hold == ""
        own.joins(number)
        wait_until(lambda: "a session waits" in throttle.verdict().hold, what="the hold")
        assert "for the backfill (limit 100 ms)" in throttle.verdict().hold
        assert throttle.verdict().blocked_ms > 0
    finally:
        holder.close()
        waiter.join()
    wait_until(lambda: not throttle.verdict().hold, what="the end of the hold")


def wait_for_the_row(engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET n = 2"))
