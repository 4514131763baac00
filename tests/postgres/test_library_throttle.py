"""What slows a backfill down, on real servers: a lagging standby, slots, locks, dead rows, queries, permissions."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from headway.throttle.limits import MIB, Limits
from headway.throttle.own import OwnWork
from headway.throttle.signals.query import Query
from headway.throttle.watch import watch
from headway.wishes import Wishes
from support.postgres import Database
from support.waiting import wait_until

FILL = "INSERT INTO users SELECT n, repeat('x', 500) FROM generate_series(1, {rows}) n"
DEAD = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'users'"
DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")
NAMED = Wishes(is_named_lag=True, max_replica_lag_seconds=3600.0)
ONE_MIB = Limits(lag_bytes=MIB * 5 / 3600)
"""In seconds 3600 are allowed, so that only the bytes count."""


def engine_of(address: Database, driver: str = "psycopg"):
    url = address.url(driver)
    return create_async_engine(url).sync_engine if driver == "asyncpg" else create_engine(url)


@pytest.fixture
def users(replicas):
    """A database with a table, on a primary that has a standby."""
    database = replicas.primary.make_database("throttle")
    database.execute("CREATE TABLE users (id int, name text)")
    wait_until(replicas.is_level, what="the standby to have the new database")
    yield database
    replicas.primary.drop(database)


@pytest.fixture
def watching():
    """Starts a watch of a database; ended after the test."""
    opened = []

    def begin(database, wishes=Wishes, own=None, driver="psycopg", notice=print, **more):
        engine = engine_of(database, driver)
        opened.append(
            watch(engine, "users", wishes, own or OwnWork(), notice=notice, schema="public", **more)
        )
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def holds(throttle, words: str) -> str:
    """Waits for a hold with these words; the whole sentence."""
    wait_until(lambda: words in throttle.verdict().hold, what=f"a hold: {words}")
    return throttle.verdict().hold


def goes_on(throttle) -> None:
    wait_until(lambda: not throttle.verdict().hold, what="the end of the hold")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_standby_that_stands_still_holds_by_bytes_until_it_has_caught_up(replicas, users, watching, driver):
    throttle = watching(users, lambda: NAMED, driver=driver, limits=ONE_MIB)
    assert throttle.verdict().hold == ""
    replicas.pause_replay()
    users.execute(FILL.format(rows=10_000))
    assert "replica 127.0.0.1 is" in holds(throttle, "MiB behind (limit 1 MiB)")
    assert throttle.verdict().utilization >= 1
    replicas.resume_replay()
    goes_on(throttle)


def test_a_standby_that_stands_still_holds_by_seconds_too(replicas, users, watching):
    throttle = watching(users, lambda: Wishes(is_named_lag=True, max_replica_lag_seconds=0.3))
    assert throttle.verdict().hold == ""
    replicas.pause_replay()
    # The standby says how far it is when it has received something.
    wait_until(
        lambda: users.execute(FILL.format(rows=10)) and " s behind (limit 0.3 s)" in throttle.verdict().hold
    )
    replicas.resume_replay()
    goes_on(throttle)


def test_a_logical_slot_that_was_left_behind_holds_by_the_wal_that_it_keeps(replicas, users, watching):
    with users.connect() as session:
        session.execute("SELECT pg_create_logical_replication_slot('left', 'pgoutput')")
    try:
        throttle = watching(users, limits=Limits(slot_bytes=MIB))
        users.execute(FILL.format(rows=10_000))
        assert "replication slot left, which nobody reads, keeps" in holds(throttle, "of WAL (limit 1 MiB)")
    finally:
        users.execute("SELECT pg_drop_replication_slot('left')")
    goes_on(throttle)


@pytest.fixture
def own(users):
    """Our own worker's session with the lock on a row, and what the driver tells of it."""
    users.execute(FILL.format(rows=10))
    worker = users.connect(autocommit=False)
    worker.execute("UPDATE users SET name = 'ours' WHERE id = 1")
    told = OwnWork()
    told.joins(worker.info.backend_pid)
    return worker, told


def update_in_thread(users, connection) -> threading.Thread:
    thread = threading.Thread(
        target=connection.execute, args=("UPDATE users SET name = 'theirs' WHERE id = 1",)
    )
    thread.start()
    return thread


def test_sessions_that_wait_for_our_row_lock_hold_until_it_is_gone(users, watching, own):
    worker, told = own
    throttle = watching(users, own=told)
    others = [update_in_thread(users, users.connect()) for _ in range(2)]
    assert "2 sessions wait" in holds(throttle, "ms for the backfill (limit 100 ms)") or holds(
        throttle, "2 sessions"
    )
    worker.commit()
    for other in others:
        other.join()
    goes_on(throttle)
    assert throttle.verdict().blocked_ms >= 100


def test_sessions_that_wait_for_somebody_else_do_not_count(users, watching, own):
    worker, told = own
    told.leaves(worker.info.backend_pid)
    throttle = watching(users, own=told)
    other = update_in_thread(users, users.connect())
    wait_until(lambda: users.scalar("SELECT count(*) FROM pg_locks WHERE NOT granted"))
    seen = throttle._seen["blocked sessions"].read_at
    wait_until(lambda: throttle._seen["blocked sessions"].read_at > seen + 0.6)
    verdict = throttle.verdict()
    worker.commit()
    other.join()
    assert (verdict.hold, verdict.blocked_ms) == ("", 0)


def test_dead_rows_hold_until_autovacuum_has_been_there(users, watching):
    users.execute(
        "ALTER TABLE users SET (autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0)"
    )
    users.execute(FILL.format(rows=20_000))
    snapshot = users.connect(autocommit=False)
    snapshot.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    snapshot.execute("SELECT count(*) FROM users")
    throttle = watching(users, limits=Limits(dead_bytes=1))
    # An ANALYZE that began before an UPDATE and ends after it takes that one's dead rows out of the counts again.
    wait_until(
        lambda: (
            users.execute("UPDATE users SET name = 'y'")
            and "dead rows that wait for VACUUM" in throttle.verdict().hold
        )
    )
    snapshot.commit()
    goes_on(throttle)


def test_what_updates_leave_on_their_own_page_holds_nobody_and_what_is_deleted_does(users, watching):
    users.execute("ALTER TABLE users SET (fillfactor = 40)")
    users.execute(
        "ALTER TABLE users SET (autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0)"
    )
    users.execute(FILL.format(rows=20_000))
    no_vacuum = users.connect(autocommit=False)
    no_vacuum.execute("LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE")
    throttle = watching(users, limits=Limits(dead_bytes=1))
    wait_until(lambda: "dead rows" in throttle._seen)
    before = users.scalar(DEAD)
    users.execute("UPDATE users SET name = name")
    wait_until(lambda: users.scalar(DEAD) == before + 20_000)
    looked = throttle._seen["dead rows"].read_at
    wait_until(lambda: throttle._seen["dead rows"].read_at > looked + 0.6)
    assert (throttle.verdict().hold, throttle._seen["dead rows"].reading.dead) == ("", before)
    users.execute("DELETE FROM users WHERE id % 2 = 0")
    assert "the table has 10,000 dead rows that wait for VACUUM" in holds(throttle, "dead rows")
    no_vacuum.commit()
    goes_on(throttle)


@pytest.mark.parametrize("driver", DRIVERS)
def test_dead_rows_of_all_partitions_count_together(users, watching, driver):
    users.execute(
        "DROP TABLE users; CREATE TABLE users (id int, name text) PARTITION BY HASH (id);"
        "CREATE TABLE users_0 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 0)"
        " WITH (autovacuum_enabled = off);"
        "CREATE TABLE users_1 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 1)"
        " WITH (autovacuum_enabled = off, autovacuum_vacuum_threshold = 700)"
    )
    users.execute(FILL.format(rows=4_000))
    users.execute("DELETE FROM users")
    throttle = watching(users, driver=driver)
    wait_until(lambda: throttle._seen["dead rows"].reading.dead == 4_000)
    assert throttle._seen["dead rows"].reading.autovacuum_from == 50 + 700


def test_where_autovacuum_is_off_dead_rows_hold_nobody(users, watching):
    users.execute("ALTER TABLE users SET (autovacuum_enabled = off)")
    users.execute(FILL.format(rows=4_000))
    users.execute("DELETE FROM users")
    throttle = watching(users, limits=Limits(dead_bytes=1))
    wait_until(lambda: throttle._seen["dead rows"].reading.dead == 4_000)
    assert throttle.verdict().hold == ""


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_query_of_the_users_holds_while_it_gives_more_than_0(users, watching, driver):
    query = Query("jobs in the queue", "SELECT count(*) FROM users WHERE name LIKE 'job%' AND name <> ':x'")
    throttle = watching(users, queries=[query], driver=driver)
    assert throttle.verdict().hold == ""
    users.execute("INSERT INTO users VALUES (1, 'job 1'), (2, 'job 2')")
    assert holds(throttle, "jobs") == "jobs in the queue is 2 (goes on at 0)"
    users.execute("DELETE FROM users")
    goes_on(throttle)


def test_a_query_is_asked_with_the_migrations_search_path(users, watching):
    users.execute('CREATE SCHEMA "Tenant 1"; CREATE TABLE "Tenant 1".jobs AS SELECT 1')
    query = Query("jobs", "SELECT count(*) FROM jobs")
    throttle = watching(users, queries=[query], search_path='"Tenant 1", public')
    assert throttle.verdict().hold == "jobs is 1 (goes on at 0)"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_query_cannot_write_and_its_failure_holds_without_hiding_the_others(users, watching, driver):
    queries = [
        Query("writer", "DELETE FROM users RETURNING id"),
        Query("typo", "SELECT count(*) FROM user_s"),
        Query("reader", "SELECT 7"),
    ]
    users.execute("INSERT INTO users VALUES (1, 'a')")
    hold = watching(users, queries=queries, driver=driver).verdict().hold
    assert hold.split("; ") == [
        "writer cannot be read: cannot execute DELETE in a read-only transaction",
        'typo cannot be read: relation "user_s" does not exist',
        "reader is 7 (goes on at 0)",
    ]
    assert users.scalar("SELECT count(*) FROM users") == 1


def test_a_query_that_takes_too_long_is_cut_off_and_holds(users, watching):
    throttle = watching(users, queries=[Query("sleeper", "SELECT pg_sleep(60), 0")])
    holds(throttle, "sleeper cannot be read: canceling statement due to statement timeout")


@pytest.fixture
def plain_role(users):
    """The database as a role sees it that has no rights but its own tables."""
    users.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT ALL ON users TO plain")
    host = users.address.split("@")[1]
    yield Database(users.name, f"postgresql://plain:plain@{host}")
    users.execute("DROP OWNED BY plain; DROP ROLE plain")


def test_without_pg_monitor_a_named_lag_holds_and_says_what_to_grant(replicas, plain_role, watching):
    throttle = watching(plain_role, lambda: NAMED)
    assert throttle.verdict().hold == (
        "replica lag cannot be read: this role may not see the replicas: GRANT pg_monitor to it"
    )


def test_without_pg_monitor_what_was_only_found_is_told_once_and_work_goes_on(replicas, plain_role, watching):
    told: list[str] = []
    throttle = watching(plain_role, notice=told.append)
    first = throttle._seen["archiving"].read_at
    wait_until(lambda: throttle._seen["archiving"].read_at > first)
    assert throttle.verdict().hold == ""
    assert [one.split(" cannot")[0] for one in told] == ["replica lag", "active sessions"]


def test_without_pg_monitor_a_wait_for_our_lock_is_seen(users, plain_role, watching, own):
    worker, told = own
    throttle = watching(plain_role, own=told)
    other = update_in_thread(users, users.connect())
    holds(throttle, "a session waits")
    worker.commit()
    other.join()


@pytest.mark.parametrize("tells", [True, False], ids=["told by the driver", "not told"])
# Without pg8000: closing its lost connection leaves the socket to the garbage collector.
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
def test_a_session_that_is_ended_is_replaced(users, watching, monkeypatch, driver, tells):
    throttle = watching(users, lambda: NAMED, driver=driver)
    if not tells:
        monkeypatch.setattr(throttle._engine.dialect, "is_disconnect", lambda *_: False)
    first = throttle._seen["replica lag"].read_at
    users.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    wait_until(
        lambda: throttle._seen["replica lag"].trouble is not None, what="the lost session to be noticed"
    )
    wait_until(lambda: throttle._seen["replica lag"].trouble is None, what="a new session")
    assert throttle._seen["replica lag"].read_at > first


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_watch_that_is_closed_leaves_no_session(users, watching, driver):
    throttle = watching(users, driver=driver)
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert users.scalar(others) == 1
    throttle.close()
    wait_until(lambda: users.scalar(others) == 0, what="the session to be gone")
